from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@statistic(version=1, reduces="over", unit="1")
def spearman(x, y):
    """A component for tests."""
