"""Warm-up."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from gendsl_runtime.length import Length
from gendsl_runtime.schedules.cosine import cosine
from gendsl_runtime.schedules.linear import linear
from gendsl_runtime.schedules.warmup import warmup
from gendsl_runtime.train import build
from tests.components.schedules.by_torch import rates
from tests.runtime.members import component, member


def test_it_climbs_and_then_follows_the_other_schedule() -> None:
    factors = warmup(8, 2, length=Length(2, "epochs"), then=partial(linear, floor=0.2))
    np.testing.assert_allclose(factors, [0.25, 0.5, 0.75, 1, 1, 0.8, 0.6, 0.4])


def test_a_budget_shorter_than_the_warm_up_climbs_to_its_end() -> None:
    np.testing.assert_allclose(warmup(3, 2, length=Length(10, "epochs"), then=linear), [1 / 3, 2 / 3, 1])


def test_a_member_gets_its_table() -> None:
    schedule = component(
        "schedule", "warmup", length=Length(4, "steps"), then=component("schedule", "cosine")
    )
    one = member(
        optimizer=component("optimizer", "sgd", lr=0.5, schedule=schedule), budget=Length(12, "steps")
    )
    factors = build.factors(one)
    assert factors.shape == (12,)
    np.testing.assert_allclose(factors[:5], [0.25, 0.5, 0.75, 1, 1])


def test_it_is_torchs_linear_climb_before_another_schedule() -> None:
    def theirs(optimizer):
        climb = LinearLR(optimizer, 1 / 8, 1.0, total_iters=7)
        return SequentialLR(optimizer, [climb, CosineAnnealingLR(optimizer, 22)], [8])

    np.testing.assert_allclose(
        warmup(30, 4, length=Length(2, "epochs"), then=cosine), rates(theirs, 30), rtol=1e-12
    )
