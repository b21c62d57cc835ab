from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"score": "1 [x, y]"}, needs="plane", axes={"x": "first", "y": "second"})
def boundary(runs: Runs):
    """A component for tests."""
