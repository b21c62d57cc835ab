"""Which claims are warned about: statistics whose interval falls short at the seeds there are."""

from __future__ import annotations

import pytest

from tests.language.checking import SWEPT, codes


@pytest.mark.parametrize(
    ("statement", "seeds", "warned"),
    [
        ("mean(g.error where width == 4, over=seed) < 50%", "0..4", True),
        ("mean(g.error where width == 4, over=seed) < 50%", "0..9", False),
        ("mean(g.error where width == 4) < mean(g.error where width == 8)", "0..4", False),
        ("auc(mean(g.error, over=seed), along=width) < 3", "0..4", True),
        ("auc(mean(g.error, over=seed), along=width) < 3", "0..9", False),
        ("threshold(mean(g.error, over=seed), along=width, level=10%) < 3", "0..4", True),
        ("quantile(g.error where width == 4, level=90%) < 50%", "0..9", True),
        ("quantile(g.error where width == 4, level=90%) < 50%", "0..29", False),
        ("quantile(g.error where width == 4, level=60%) < 50%", "0..9", False),
        (
            "quantile(g.error where width == 4, level=90%) < quantile(g.error where width == 8, level=90%)",
            "0..9",
            True,
        ),
    ],
)
def test_claims_are_warned_about_where_their_interval_falls_short(statement, seeds, warned) -> None:
    found = codes(SWEPT.replace("seeds 0..9", f"seeds {seeds}") + f"claim c: {statement}\n")
    assert set(found) <= {"narrow-interval"}
    assert bool(found) == warned


def test_the_first_look_counts_where_seeds_go_on() -> None:
    statement = "claim c: mean(g.error where width == 4, over=seed) < 50%\n"
    seeds = "seeds 0..4 until decided, at most 80"
    assert codes(SWEPT.replace("seeds 0..9", seeds) + statement) == ["narrow-interval"]
