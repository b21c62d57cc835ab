from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, task="task", shape=("inputs",), outputs="outputs", splits={"train": "train", "test": "test"})
def teacher(*, task: Literal["classification", "regression"] = "regression", inputs: Count = 10, outputs: Count = 1, train: Count = 100, test: Count = 100, seed: Seed = 0):
    """A component for tests."""
