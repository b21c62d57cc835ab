from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@model(version=1, takes="image")
def dt_net(shape: tuple[int, ...], outputs: int, *, width: Count = 64, recall: Flag = True, max_iterations: Count = 30):
    """A component for tests."""
