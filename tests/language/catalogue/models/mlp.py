from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@model(version=1)
def mlp(shape: tuple[int, ...], outputs: int, *, hidden: list[Count] = (64,), activation: Literal["relu", "tanh"] = "relu"):
    """A component for tests."""
