from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@optimizer(version=1, paper="kingma2015adam")
def adam(*, lr: PerMember[Positive] = 1e-3, warmup: Epochs | None = None, schedule: Schedule = "constant", clip: Positive | None = None):
    """A component for tests."""
