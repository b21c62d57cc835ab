from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"test": "1", "train": "1"}, needs=("classification",))
def error_rate(runs: Runs):
    """A component for tests."""
