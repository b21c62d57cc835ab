from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@statistic(version=1, reduces="along", unit="per")
def slope(values, coordinates):
    """A component for tests."""
