from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@statistic(version=1, reduces="along", unit="coordinate")
def threshold(values, coordinates, *, level: Real):
    """A component for tests."""
