from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, task="classification", shape=(3, "size", "size"), outputs=2, splits={"train": "train", "test": "test"})
def mazes(*, size: Count = 9, train: Natural = 0, test: Natural = 1000, seed: Seed = 0):
    """A component for tests."""
