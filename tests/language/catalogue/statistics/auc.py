from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@statistic(version=1, reduces="along", unit="times")
def auc(values, coordinates):
    """A component for tests."""
