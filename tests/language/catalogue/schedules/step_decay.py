from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@schedule(version=1)
def step_decay(steps, steps_per_epoch, *, milestones: list[Epochs], factor: Share = 0.1):
    """A component for tests."""
