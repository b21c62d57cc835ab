from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@optimizer(version=1)
def sgd(*, lr: PerMember[Positive] = 0.1, momentum: PerMember[Share] = 0.0, schedule: Schedule = "constant", clip: Positive | None = None):
    """A component for tests."""
