from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, like="data", splits={"poisoned": None})
def poisoned(data: Dataset, *, from_: SplitName = "held_back", seed: Seed = 0):
    """A component for tests."""
