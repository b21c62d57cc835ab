from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@schedule(version=1)
def cosine(steps, steps_per_epoch, *, floor: Share = 0.0):
    """A component for tests."""
