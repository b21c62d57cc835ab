from typing import Annotated, Literal

from gendsl_runtime.component import *  # noqa: F403


@analysis(version=1, gives={"log_volume": "nats", "radius": "1 [ray]"}, axes={"ray": "random directions"})
def volume(runs: Runs, *, rays: Count = 500, cutoff: Positive = 0.1):
    """A component for tests."""
