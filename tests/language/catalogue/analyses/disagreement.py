from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"rate": "1"})
def disagreement(groups: Groups, *, over: AxisName, on: SplitName = "test"):
    """A component for tests."""
