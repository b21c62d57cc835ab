from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@train(version=3)
def train(*, model: Model, dataset: Dataset, optimizer: Optimizer, loss: Loss | None = None, schedule: Schedule = "constant", batch: Count | None = None, budget: Length, stop: Stop | None = None, crop: Annotated[Natural, "px"] = 0, checkpoints: list[Epochs] = (), init: Runs | None = None, seed: Seed = 0):
    """A component for tests."""
