from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"accuracy": "1"}, needs="classification")
def accuracy(runs: Runs, *, on: SplitName = "test", iterations: Count | None = None):
    """A component for tests."""
