from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"cka": "1"})
def similarity(runs: Runs, *, other: Runs | None = None, on: SplitName = "test"):
    """A component for tests."""
