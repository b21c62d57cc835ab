"""A run in progress as lines of text for a terminal of any width: declarations, stacks, losses, claims so far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from gendsl_runtime.report.cards import MARKS, cards
from gendsl_runtime.report.words import duration

if TYPE_CHECKING:
    from gendsl.spec import Spec
    from gendsl_runtime.claims.verdict import Verdict
    from gendsl_runtime.execute.schedule import Standing
    from gendsl_runtime.progress.live import Live, Training

BLOCKS = "▁▂▃▄▅▆▇█"
LOGARITHMIC = 20.0
"""The ratio of the largest to the smallest beyond which a sparkline goes by logarithms."""
NARROW = 60
"""Columns below which components and what members share are left out."""
ROOMY = 100
"""Columns from which bars are long."""
WIDE = 76
"""Columns from which rates are told."""
STACKS = 5
CLAIMS = 8
COLOURS = {"supported": "green", "refuted": "red", "undecided": "yellow"}
SIGNS = {"done": ("✓", "green"), "running": ("●", "cyan"), "waiting": ("○", "dim"), "failed": ("✗", "red")}
STAGES = {
    "planning": "planning",
    "computing": "computing",
    "claims": "deciding claims",
    "report": "writing the report",
}


def screen(live: Live, note: str = "", *, width: int, height: int) -> Group:
    """What there is to see now, in at most `height` lines of at most `width` columns; `note` comes first."""
    standing = live.standing()
    top = [Text(note, "yellow")] * bool(note) + _top(live, standing, width)
    stacks, claims = _stacks(live, width), _claims(live, width)
    room = max(1, height - len(top) - len(stacks) - len(claims))
    lines = [*top, *_steps(live.spec, standing, width, room), *stacks, *claims][: max(1, height)]
    return Group(*(_cut(line, width) for line in lines))


def closing(live: Live, *, width: int) -> Group:
    """What was done, once it is: a line for each declaration."""
    standing = live.standing()
    wide = min(max((len(name) for name in standing), default=0), max(8, width // 4))
    lines = []
    for name, now in standing.items():
        cached = now.stored - now.computed
        sign, colour = SIGNS[state(now)]
        parts = [(now.computed, "computed"), (cached, "stored"), (now.failed, "failed")]
        told = ", ".join(f"{number:,} {word}" for number, word in parts if number)
        time = f"  {duration(now.seconds)}" if now.seconds >= 0.0005 else ""
        lines.append(
            Text.assemble((f"{sign} ", colour), f"{_short(name, wide):<{wide}}  {told}", (time, "dim"))
        )
    return Group(*(_cut(line, width) for line in lines))


def sparkline(values: Sequence[float], length: int) -> str:
    """Values as a row of blocks, the lowest the smallest; of more values than places the last of each stretch.

    Values of very different sizes are drawn by their logarithms.
    """
    if not values or length < 1:
        return ""
    count = min(length, len(values))
    shown = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    if min(shown) > 0 and max(shown) > LOGARITHMIC * min(shown):
        shown = [math.log(value) for value in shown]
    low, high = min(shown), max(shown)
    if not high > low:
        return BLOCKS[0] * count
    return "".join(BLOCKS[round((value - low) / (high - low) * (len(BLOCKS) - 1))] for value in shown)


def bar(share: float, length: int) -> Text:
    """A share as a bar."""
    full = math.floor(max(0.0, min(1.0, share)) * length)
    return Text.assemble(("━" * full, "cyan" if share < 1 else "green"), ("─" * (length - full), "dim"))


def state(now: Standing) -> str:
    """`done`, `running`, `waiting` or `failed` (over, with something missing)."""
    if now.stored + now.failed == now.total:
        return "failed" if now.failed else "done"
    return "running" if now.running else "waiting"


def count(value: float) -> str:
    """`950`, `3.2k`, `1.5M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _top(live: Live, standing: dict[str, Standing], width: int) -> list[Text]:
    total = sum(now.total for now in standing.values())
    over = sum(now.stored + now.failed for now in standing.values())
    running = [training for training in live.trainings() if training.state == "running"]
    within = sum(training.share * training.members for training in running)
    share = min(1.0, (over + within) / total) if total else 0.0
    left = live.left
    time = f"{_rounded(live.seconds)}" + (
        f" · about {_rounded(left)} of training left" if left is not None else ""
    )
    what = STAGES.get(live.stage_name, live.stage_name)
    seeds = f" · look {len(live.looks) + 1}" if live.is_adaptive else ""
    return [
        Text.assemble((live.spec.name, "bold"), f"  {what}{seeds}  ", (time, "dim")),
        Text.assemble(bar(share, max(8, min(40, width - 24))), f" {share:4.0%}  {over:,} of {total:,}"),
        Text(""),
    ]


def _steps(spec: Spec, standing: dict[str, Standing], width: int, room: int) -> list[Text]:
    names = list(standing)
    shown = names if len(names) <= room else _foremost(standing, room - 1)
    wide = min(max((len(name) for name in shown), default=0), max(8, width // 5))
    lines = [_step(name, spec, standing[name], wide, width) for name in shown]
    if len(shown) < len(names):
        rest = [state(standing[name]) for name in names if name not in shown]
        told = ", ".join(f"{rest.count(one)} {one}" for one in SIGNS if one in rest)
        lines.append(Text(f"  … {len(rest)} more: {told}", "dim"))
    return lines


def _foremost(standing: dict[str, Standing], room: int) -> list[str]:
    """What is running or has failed comes before what waits, and that before what is done; in file order."""
    ranks = {"running": 0, "failed": 1, "waiting": 2, "done": 3}
    first = sorted(standing, key=lambda name: ranks[state(standing[name])])[: max(0, room)]
    return [name for name in standing if name in first]


def _step(name: str, spec: Spec, now: Standing, wide: int, width: int) -> Text:
    sign, colour = SIGNS[state(now)]
    cached = now.stored - now.computed
    notes = [(now.running, "running", "cyan"), (now.failed, "failed", "red"), (cached, "stored", "dim")]
    line = Text.assemble((f"{sign} ", colour), f"{_short(name, wide):<{wide}}  ")
    if width >= NARROW:
        room = 18 if width >= ROOMY else 14
        line.append(f"{_short(spec.steps[name].component, room):<{room}} ", "dim")
    line.append(f"{now.stored:>5,}/{now.total:<5,} ")
    share = (now.stored + now.failed) / now.total if now.total else 1.0
    line.append_text(bar(share, 16 if width >= ROOMY else 8 if width >= NARROW else 5))
    for number, word, style in notes:
        if number:
            line.append(f"  {number:,} {word}", style)
    return line


def _stacks(live: Live, width: int) -> list[Text]:
    trainings = live.trainings()
    running = [one for one in trainings if one.state == "running"]
    shown = (running or trainings[-1:])[-STACKS:]
    if not shown:
        return []
    more = f", {len(running) - len(shown)} more" if len(running) > len(shown) else ""
    title = f"stacks in training{more}" if running else "last stack"
    return [Text(""), Text(title, "dim"), *(_stack(one, width) for one in shown)]


def _stack(one: Training, width: int) -> Text:
    members = f"{one.active}/{one.members}" if one.state == "running" else f"{one.members}"
    where = f" {one.where}" if one.where and width >= NARROW else ""
    line = Text.assemble(
        "  ", _short(" ".join(one.steps) + where, max(8, width // 3)), (f" ×{members}", "dim")
    )
    line.append(f" {one.share:4.0%}")
    if one.rate and width >= WIDE:
        line.append(f"  {count(one.rate)} steps/s", "dim")
    if one.points:
        last = one.points[-1]
        line.append(f"  epoch {last.epoch:,}  loss {last.mean:.3g} ")
        line.append(sparkline([point.mean for point in one.points], min(24, width - line.cell_len)), "cyan")
    return line


def _claims(live: Live, width: int) -> list[Text]:
    if not live.spec.claims:
        return []
    found = {verdict.name: verdict for verdict in live.claims}
    waiting = len(live.spec.claims) - len(found)
    lines = [Text(""), Text("claims so far", "dim")]
    lines += verdict_texts(live.spec, list(found.values())[:CLAIMS], width)
    if waiting:
        lines.append(Text(f"  ○ {waiting} {'waits' if waiting == 1 else 'wait'} for results", "dim"))
    return lines


def verdict_texts(spec: Spec, verdicts: Sequence[Verdict], width: int) -> Iterable[Text]:
    """A line for each claim: mark, name, outcome, what was found."""
    for card in cards(spec, verdicts):
        colour = COLOURS[card.verdict.outcome]
        wide = max(8, width // 3)
        name = f"{_short(card.verdict.name, wide)}  "
        yield Text.assemble(
            (f"  {MARKS[card.verdict.outcome]} ", colour),
            name,
            (f"{card.verdict.outcome}  ", colour),
            card.estimate,
        )


def _rounded(seconds: float) -> str:
    """A time in words, in whole seconds from ten on: what changes all the time is not told closer."""
    return f"{seconds:.0f} s" if 10 <= seconds < 59.5 else duration(seconds)


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    line.no_wrap = True
    return line
