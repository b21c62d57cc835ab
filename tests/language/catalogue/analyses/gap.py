from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"gap": "1", "error": "1", "train_accuracy": "1"}, needs="classification")
def gap(runs: Runs):
    """A component for tests."""
