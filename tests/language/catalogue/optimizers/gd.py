from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@optimizer(version=1, batch="all")
def gd(*, lr: PerMember[Positive] = 0.1):
    """A component for tests."""
