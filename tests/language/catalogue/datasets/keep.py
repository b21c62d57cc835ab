from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, like="data")
def keep(data: Dataset, *, by: Scores | None = None, share: Share = 0.5):
    """A component for tests."""
