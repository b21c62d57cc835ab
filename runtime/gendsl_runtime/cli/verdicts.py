"""Verdicts as lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl_runtime.results import Results

COLOURS = {"supported": "32", "refuted": "31", "undecided": "33"}


def verdict_lines(results: Results, *, is_coloured: bool) -> list[str]:
    """One line a claim, and below it what to know of the verdict."""
    from gendsl_runtime.report.cards import cards

    found = cards(results)
    wide = max((len(card.verdict.name) for card in found), default=0)
    lines = []
    for card in found:
        outcome = str(card.verdict.outcome)
        shown = f"\033[{COLOURS[outcome]}m{outcome:<10}\033[0m" if is_coloured else f"{outcome:<10}"
        lines.append(f"  {card.verdict.name:<{wide}}  {shown}  {card.estimate}")
        lines += [
            f"  {'':<{wide}}  {'':<10}  {text}" for text in filter(None, (card.why, *card.verdict.warnings))
        ]
    return lines
