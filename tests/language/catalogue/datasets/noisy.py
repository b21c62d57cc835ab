from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, like="data")
def noisy(data: Dataset, *, share: Share, seed: Seed = 0):
    """A component for tests."""
