from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@model(version=1, takes="image", smallest=8)
def resnet18(shape: tuple[int, ...], outputs: int, *, width: Count = 64):
    """A component for tests."""
