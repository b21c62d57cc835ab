from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@schedule(version=1)
def constant(steps, steps_per_epoch):
    """A component for tests."""
