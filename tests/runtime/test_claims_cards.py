"""What cards say of shares and of differences of shares."""

from __future__ import annotations

from gendsl.spec import Claim, Number, Operation, Statistic
from gendsl_runtime.report.cards import cards
from tests.runtime.reported import ERROR, specification, verdict

MEAN = Statistic(name="mean", version=1, values=(ERROR,), over=("seed",))
BETWEEN = Operation(op="-", operands=(MEAN, MEAN))


def card(one, other, text: str, **changes):
    """The card of one claim about means of errors."""
    statement = Claim(name="open", text=text, left=one, op=">", right=other)
    found = verdict("open", "undecided", op=">", unit="", **changes)
    return cards(specification(claims=(statement,)), [found])[0]


def test_two_shares_differ_by_percentage_points() -> None:
    found = card(MEAN, MEAN, "mean(a) > mean(b)", estimate=0.1, low=-0.02, high=0.22, left=0.3, right=0.2)
    assert found.estimate == "30% against 20%: 10 percentage points, 95% interval −2 to 22"
    assert found.line.labels == ("0 percentage points", "−2 percentage points", "22 percentage points")


def test_a_difference_of_shares_against_a_number_is_in_percentage_points() -> None:
    found = card(
        BETWEEN,
        Number(value=0.05),
        "mean(a) - mean(b) > 5%",
        estimate=0.428,
        low=0.3,
        high=0.5,
        left=0.478,
        right=0.05,
    )
    assert found.estimate == "47.8 percentage points, 95% interval 35 to 55"
    assert found.line.labels[0] == "5 percentage points"


def test_a_share_against_a_number_is_in_per_cent() -> None:
    found = card(
        MEAN,
        Number(value=0.1),
        "mean(a) > 10%",
        estimate=0.1,
        low=-0.05,
        high=0.15,
        left=0.2,
        right=0.1,
    )
    assert found.estimate == "20%, 95% interval 5% to 25%"
    assert found.line.labels[0] == "10%"
