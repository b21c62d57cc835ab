"""What is seen of a stack on its way: losses as in its history, few messages, curves that keep their ends."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch

from gendsl_runtime.length import Length
from gendsl_runtime.train.glimpse import POINTS, Glimpse, Glimpses, Point, point, received, thinned
from gendsl_runtime.train.loop import train
from tests.runtime.members import member


def test_curves_are_those_of_the_histories() -> None:
    members = [member(seed=seed, budget=Length(5, "epochs")) for seed in (0, 1, 2)]
    told: list[Glimpse] = []
    glimpses = Glimpses(sum(one.steps for one in members), told.append)
    found = train(members, device="cpu", dtype=torch.float32, tell=lambda steps: None, glimpses=glimpses)
    glimpses.rest()
    points = [one for glimpse in told for one in glimpse.points]
    losses = [one.history["train_loss"].tolist() for one in found]
    assert [one.epoch for one in points] == [1, 2, 3, 4, 5]
    for one, *own in zip(points, *losses, strict=True):
        assert one.mean == pytest.approx(math.fsum(own) / 3, rel=1e-15)
        assert (one.low, one.high) == (min(own), max(own))
    assert told[-1].steps == told[-1].of
    assert told[-1].members == 0


def test_watching_changes_no_bit() -> None:
    def weights(glimpses: Glimpses | None) -> list[torch.Tensor]:
        found = train(
            [member(seed=3)], device="cpu", dtype=torch.float32, tell=lambda steps: None, glimpses=glimpses
        )
        return list(found[0].state.parameters.values())

    for one, other in zip(weights(None), weights(Glimpses(1, lambda glimpse: None)), strict=True):
        assert torch.equal(one, other)


def test_losses_that_are_not_finite_are_left_out() -> None:
    assert point(2, [1.0, math.nan, 3.0]) == Point(2, 2.0, 1.0, 3.0)
    assert point(2, [math.inf]) is None


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000, 10_000])
def test_thinned_curves_keep_their_last_point_and_order(count: int) -> None:
    found = thinned([Point(k, 0.0, 0.0, 0.0) for k in range(count)], POINTS)
    assert len(found) == min(count, len(found)) <= POINTS
    assert found[-1].epoch == count - 1
    steps = {after.epoch - before.epoch for before, after in pairwise(found)}
    assert len(steps) <= 1


def test_many_epochs_make_few_messages() -> None:
    told: list[Glimpse] = []
    glimpses = Glimpses(20_000, told.append)
    for epoch in range(1, 20_001):
        glimpses.heard(epoch, 1, Point(epoch, 1.0, 1.0, 1.0))
    glimpses.rest()
    assert len(told) < 10
    assert all(len(glimpse.points) <= POINTS for glimpse in told)
    assert told[-1].steps == 20_000


def test_a_glimpse_crosses_as_json() -> None:
    glimpse = Glimpse(3, 10, 2, (Point(1, 0.5, 0.25, 0.75),))
    assert received(json.loads(json.dumps(asdict(glimpse)))) == glimpse
