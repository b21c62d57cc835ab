from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"scores": "1 [example]"}, axes={"example": "training examples"})
def forgetting(groups: Groups, *, over: AxisName):
    """A component for tests."""
