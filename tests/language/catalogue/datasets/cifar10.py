from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=2, task="classification", shape=(3, 32, 32), outputs=10, splits={"train": 50000, "test": 10000})
def cifar10(*, label_noise: Share = 0.0):
    """A component for tests."""
