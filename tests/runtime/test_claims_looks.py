"""Claims of seeds that go on: what is spent at each look, what stays, and what Holm's correction is given."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl.spec.looks import doubling
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.claims.looks import claim_at, is_open, share
from gendsl_runtime.claims.verdict import Verdict
from tests.runtime.claimed import X, Y, claim, only, reduce, results, seeds

LOOKS = doubling(10, 80)
ABOVE = claim(reduce("mean", X), ">", 0)


def look(count: int, claims, earlier=(), **quantities):
    """The verdicts with the first so many seeds."""
    axis = seeds(count).model_copy(update={"looks": LOOKS})
    found = {name: values[:count] for name, values in quantities.items()}
    return decide(results([axis], claims, **found), earlier)


def all_looks(claims, **quantities):
    """The verdicts after each look."""
    found, earlier = [], ()
    for count in LOOKS:
        earlier = look(count, claims, earlier, **quantities)
        found.append(earlier)
    return found


@pytest.mark.parametrize("most", [11, 20, 35, 80, 100])
def test_the_looks_share_the_level_and_no_more(most: int) -> None:
    looks = doubling(10, most)
    spent = [1 - claim_at(ABOVE, looks, number).level for number in range(len(looks))]
    assert sum(spent) == pytest.approx(0.05)
    assert spent == pytest.approx([0.05 * share(looks, number) for number in range(len(looks))])
    assert all(np.diff([n / s for n, s in zip(looks, spent, strict=True)]) < 1e-6)


def test_a_look_is_the_t_test_at_its_share_of_the_level() -> None:
    x = np.random.default_rng(3).normal(0.2, 1, size=80)
    (verdict,) = all_looks([ABOVE], x=x)[-1]
    for seen in verdict.looks:
        part = x[: seen.seeds]
        level = 1 - 0.05 * seen.seeds / sum(LOOKS)
        low, high = stats.t.interval(level, seen.seeds - 1, part.mean(), stats.sem(part))
        assert (seen.low, seen.high) == pytest.approx((low, high), rel=1e-9)
        assert seen.level == pytest.approx(level)
        assert seen.p_value == pytest.approx(stats.ttest_1samp(part, 0).pvalue)
        assert seen.outcome == ("supported" if low > 0 else "refuted" if high < 0 else "undecided")


def test_what_is_decided_stays_so() -> None:
    x = np.concatenate([np.random.default_rng(0).normal(3, 1, 10), np.full(70, -50.0)])
    y = np.random.default_rng(1).normal(0.0, 1, 80)
    first, *_, last = all_looks([ABOVE, claim(reduce("mean", Y), ">", 0, name="d")], x=x, y=y)
    assert (first[0].outcome, last[0].outcome) == ("supported", "supported")
    assert last[0].looks == first[0].looks
    assert last[0].used == 10
    assert len(last[1].looks) == 4 or last[1].outcome != "undecided"


def test_the_p_value_is_the_least_of_the_looks_over_their_shares() -> None:
    x = np.random.default_rng(5).normal(0.1, 1, size=80)
    (verdict,) = all_looks([ABOVE], x=x)[-1]
    shares = [seen.seeds / sum(LOOKS) for seen in verdict.looks]
    least = min(seen.p_value / share for seen, share in zip(verdict.looks, shares, strict=True))
    assert verdict.p_value == pytest.approx(min(1, least))
    assert (verdict.outcome == "undecided") == (least > 0.05)


def test_holm_is_over_those_p_values() -> None:
    rng = np.random.default_rng(8)
    claims = [ABOVE, claim(reduce("mean", Y), "<", 0.2, name="d")]
    verdicts = all_looks(claims, x=rng.normal(0.8, 1, 80), y=rng.normal(0, 1, 80))[-1]
    family = sorted(p for verdict in verdicts for p in (verdict.p_true, verdict.p_false))
    assert min(v.corrected_p for v in verdicts) == pytest.approx(min(1, 4 * family[0]))


def test_a_plain_fact_is_of_all_seeds_and_keeps_nobody_waiting() -> None:
    x = np.concatenate([np.full(10, 2.0), np.full(70, -1.0)]) + np.arange(80) / 1e3
    statement = claim(reduce("lowest", X), ">", 0)
    first, *_, last = all_looks([statement], x=x)
    assert (first[0].outcome, last[0].outcome) == ("supported", "refuted")
    assert not is_open(first[0])
    assert last[0].looks == ()


def test_too_few_usable_seeds_wait_for_more() -> None:
    x = np.concatenate([[1.0, 2.0], np.full(8, np.nan), np.random.default_rng(4).normal(5, 1, 70)])
    first, second, *_ = all_looks([ABOVE], x=x)
    assert is_open(first[0])
    assert second[0].outcome == "supported"


def test_verdicts_come_back_from_their_records() -> None:
    (verdict,) = all_looks([ABOVE], x=np.random.default_rng(6).normal(size=80))[-1]
    assert Verdict.restored(verdict.record()) == verdict


def test_fixed_seeds_have_no_looks() -> None:
    verdict = only([seeds(20)], ABOVE, x=np.random.default_rng(7).normal(size=20))
    assert (verdict.looks, verdict.planned, verdict.spending) == ((), (), "")


def test_the_cards_show_each_look() -> None:
    from gendsl_runtime.report.cards import cards

    axis = seeds(80).model_copy(update={"looks": LOOKS})
    verdicts = all_looks([ABOVE], x=np.random.default_rng(2).normal(size=80))[-1]
    (card,) = cards(results([axis], [ABOVE], x=np.zeros(80)).spec, verdicts)
    assert [row.where for row in card.looks] == [f"{look.seeds} seeds" for look in verdicts[0].looks]
    assert "99.67% interval" in card.looks[0].numbers
    assert "95% interval over all looks" in card.estimate
    assert any("looks" in fact for fact in card.facts)
