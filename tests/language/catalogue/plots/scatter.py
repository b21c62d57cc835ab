from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@plot(version=1)
def scatter(table, *, x: Values, y: Values, color: Values | None = None):
    """A component for tests."""
