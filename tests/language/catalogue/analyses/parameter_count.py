from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"count": "1"})
def parameter_count(model: Model):
    """A component for tests."""
