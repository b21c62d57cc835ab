"""Verdicts as lines for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.spec import Spec
    from gendsl_runtime.claims.verdict import Verdict

COLOURS = {"supported": "32", "refuted": "31", "undecided": "33"}


def verdict_lines(
    spec: Spec, verdicts: Sequence[Verdict], *, is_coloured: bool, width: int = 200
) -> list[str]:
    """One line a claim, folded at `width`, and below it what to know of the verdict."""
    from gendsl_runtime.report.cards import cards

    found = cards(spec, verdicts)
    wide = max((len(card.verdict.name) for card in found), default=0)
    lines = []
    for card in found:
        outcome = str(card.verdict.outcome)
        indent = min(wide + 16, width // 3)
        said = f"{card.verdict.name:<{wide}}  {outcome:<10}  {card.estimate}"
        own = folded(said, width, first=2, indent=indent)
        if is_coloured:
            own = [line.replace(outcome, f"\033[{COLOURS[outcome]}m{outcome}\033[0m", 1) for line in own]
        lines += own
        for row in card.looks:
            text = f"{row.where}: {row.outcome}, {row.numbers}"
            lines += folded(text, width, first=indent, indent=indent + 2)
        for text in filter(None, (card.why, card.verdict.outlook, *card.verdict.warnings)):
            lines += folded(text, width, first=indent, indent=indent)
    return lines


def folded(text: str, width: int, *, first: int = 0, indent: int = 0) -> list[str]:
    """The text in lines no wider than `width`; spaces between words are kept."""
    return textwrap.wrap(text, width, initial_indent=" " * first, subsequent_indent=" " * indent)
