"""Stacks of networks that think."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.runs import Runs

MakeThinkers = Callable[..., Runs]


@pytest.fixture
def make_thinkers() -> MakeThinkers:
    """Untrained networks on prefix sums."""

    def make(seeds: tuple[int, ...] = (0, 3), *, test: int = 60, length: int = 5, **model: object) -> Runs:
        data = prefix_sums(lengths=[2, length], train=10, test=test)
        network = deep_thinking((length, 1), 2, **{"width": 8, "iterations": 4, **model})
        return Runs(network, network.init(seeds), (data,) * len(seeds), seeds, cross_entropy)

    return make
