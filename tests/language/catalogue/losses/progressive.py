from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@loss(version=1, needs="classification")
def progressive(outputs, targets, *, alpha: Share = 0.5):
    """A component for tests."""
