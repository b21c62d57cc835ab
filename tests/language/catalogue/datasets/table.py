from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@dataset(version=1, task="classification", splits={"train": None})
def table(*, path: InputFile, target: Text):
    """A component for tests."""
