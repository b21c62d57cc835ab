from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, task="classification", shape=(2,), outputs=2, splits={"train": "train", "held_back": "held_back", "test": "test"})
def rings(*, train: Count = 400, held_back: Natural = 0, test: Natural = 4000, noise: NonNegative = 0.5, seed: Seed = 0):
    """A component for tests."""
