from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@plot(version=1)
def line(table, *, x: Values, y: Values, color: Values | None = None, facet: Values | None = None, band: Share = 0.95, x_scale: Literal["linear", "log"] = "linear"):
    """A component for tests."""
