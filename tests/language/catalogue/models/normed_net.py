from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@model(version=1)
def normed_net(shape: tuple[int, ...], outputs: int, *, norm: Literal["none", "layer", "batch"] = "batch"):
    """A component for tests."""
