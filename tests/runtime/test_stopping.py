"""Conditions of `stop` are exact, however little of the data was evaluated."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.length import Length
from gendsl_runtime.runs import BLOCK
from gendsl_runtime.train.conditions import decided, met
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.stack import start
from gendsl_runtime.train.stopping import Stopping
from tests.runtime.members import blobs, member

DATA = blobs(examples=2 * BLOCK + 30, classes=3)


@given(
    st.sampled_from(["train_error", "train_accuracy"]),
    st.sampled_from(sorted(COMPARISONS)),
    st.integers(0, 12),
    st.integers(1, 6),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_a_verdict_is_what_every_rest_would_give(metric, comparison, bound, right, wrong, left) -> None:
    examples = right + wrong + left
    condition = (metric, comparison, bound / 12)

    def holds(count: int) -> bool:
        share = count / examples if metric == "train_error" else (examples - count) / examples
        return COMPARISONS[comparison](share, bound / 12)

    outcomes = {holds(count) for count in range(wrong, wrong + left + 1)}
    verdict = decided(condition, wrong, left, examples)
    if verdict is None:
        assert left
    else:
        assert outcomes == {verdict}
    if not left:
        assert verdict is holds(wrong)


@pytest.mark.parametrize("first", [0, BLOCK, 2 * BLOCK])
@pytest.mark.parametrize("other", [DATA, blobs(examples=2 * BLOCK + 30, classes=3, seed=1)])
def test_members_that_have_met_their_condition_are_found(first, other) -> None:
    """Against the whole evaluation, with bounds on both sides of each member's own error."""
    plain = [member(data, seed=seed) for seed, data in enumerate((DATA, other, DATA))]
    errors = start(plain, device="cpu", dtype=torch.float32).runs(range(3)).error("fit").tolist()
    losses = start(plain, device="cpu", dtype=torch.float32).runs(range(3)).mean_loss("fit").tolist()
    for comparison in COMPARISONS:
        for shift in (-1 / 1024, 0.0, 1 / 1024):
            stops = [("train_error", comparison, errors[0] + shift), None]
            stops.append(("train_loss", comparison, losses[2] + shift))
            members = [replace(one, stop=stop) for one, stop in zip(plain, stops, strict=True)]
            members.append(
                replace(plain[1], stop=("train_accuracy", comparison, 1 - errors[1] + shift), seed=1)
            )
            stack = start(members, device="cpu", dtype=torch.float32)
            values = (errors[0], None, losses[2], stack.runs([3]).accuracy("fit").item())
            expected = [
                row
                for row, (one, value) in enumerate(zip(members, values, strict=True))
                if one.stop is not None and COMPARISONS[comparison](value, one.stop[2])
            ]
            assert Stopping(first).met(stack, range(4)) == expected


def test_one_block_is_enough_while_everything_is_wrong(monkeypatch) -> None:
    stack = start([member(DATA, stop=("train_error", "==", 0.0))] * 2, device="cpu", dtype=torch.float32)
    seen = []
    block = type(stack.feed).block

    def counted(feed, members, begin, width):
        seen.append(begin)
        return block(feed, members, begin, width)

    monkeypatch.setattr(type(stack.feed), "block", counted)
    stopping = Stopping(first=BLOCK)
    assert stopping.met(stack, [0, 1]) == []
    assert seen == [BLOCK]


def test_a_run_that_stops_has_met_its_condition() -> None:
    easy = blobs(examples=40, classes=2)
    fitted = fit([member(easy, stop=("train_error", "<", 0.4), budget=Length(40, "epochs"))])[0]
    assert fitted.status == "stopped"


@pytest.mark.parametrize("order", [1, -1])
def test_joined_conditions_must_all_hold(order) -> None:
    """Each condition alone holds or not by its bound; joined they hold where both do."""
    plain = [member(DATA, seed=seed) for seed in range(4)]
    runs = start(plain, device="cpu", dtype=torch.float32).runs(range(4))
    errors, losses = runs.error("fit").tolist(), runs.mean_loss("fit").tolist()
    for error_shift, loss_shift in ((0.01, 0.01), (-0.01, 0.01), (0.01, -0.01), (-0.01, -0.01)):
        stops = [
            (("train_error", "<", error + error_shift), ("train_loss", "<", loss + loss_shift))[::order]
            for error, loss in zip(errors, losses, strict=True)
        ]
        stack = start(
            [replace(one, stop=stop) for one, stop in zip(plain, stops, strict=True)],
            device="cpu",
            dtype=torch.float32,
        )
        expected = [0, 1, 2, 3] if error_shift > 0 and loss_shift > 0 else []
        assert Stopping().met(stack, [0, 1, 2, 3]) == expected
        assert [row for row, stop in enumerate(stops) if row in met(runs, stop).tolist()] == expected
