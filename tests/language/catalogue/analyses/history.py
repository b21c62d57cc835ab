from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"train_error": "1 [epoch]", "epochs": "epochs"}, axes={"epoch": "epochs"})
def history(runs: Runs):
    """A component for tests."""
