from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@statistic(version=1, reduces="over")
def mean(values):
    """A component for tests."""
