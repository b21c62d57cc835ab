"""The report page: everything a reader needs in one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from gendsl import spec
from gendsl.spec.shown import shown
from gendsl_runtime.chart.style import STATIC
from gendsl_runtime.draft import write_whole
from gendsl_runtime.problem import Problem
from gendsl_runtime.report.attached import Attached, attached
from gendsl_runtime.report.bundle import libraries
from gendsl_runtime.report.cards import cards
from gendsl_runtime.report.failures import groups
from gendsl_runtime.report.figure import figure, notes, vega_lite
from gendsl_runtime.report.files import write_figure
from gendsl_runtime.report.graph import HEIGHT, WIDTH, graph
from gendsl_runtime.report.listing import pieces
from gendsl_runtime.report.methods import methods
from gendsl_runtime.report.provenance import provenance
from gendsl_runtime.report.tables import ROWS, blocks
from gendsl_runtime.report.words import condition, duration
from gendsl_runtime.results import Results
from gendsl_runtime.store.faults import told

FOLDER = Path(__file__).parent
PAGE = "report.html"


@dataclass(frozen=True)
class Drawn:
    """One figure of the page; `chart` is None where it could not be drawn, `fault` then says why."""

    name: str
    caption: str
    notes: tuple[str, ...]
    chart: dict[str, Any] | None
    fault: str = ""


def render_report(results: Results, folder: Path) -> Path:
    """Writes `report.html`, `spec.gen` and `figures/` of a run into its folder; returns the page.

    A figure that cannot be drawn is replaced by the reason; the rest of the report does not depend on it.

    Raises:
        Problem: `disk-full` or `store-unwritable`; a page that was there stays as it was.
    """
    with told(folder):
        return _rendered(results, folder)


def _rendered(results: Results, folder: Path) -> Path:
    figures = [_written(drawn(plot, results), folder / "figures") for plot in shown_plots(results.spec)]
    write_whole(folder / "spec.gen", results.spec.text.encode())
    path = folder / PAGE
    write_whole(path, page(results, figures, attached(folder, results)).encode())
    return path


def _written(item: Drawn, folder: Path) -> Drawn:
    """The figure with its files written; with its fault instead where Vega-Lite cannot draw it."""
    if item.chart is None:
        return item
    try:
        write_figure(item.chart, folder, item.name)
    except ValueError as error:
        reason = str(error).strip().splitlines()
        return Drawn(item.name, item.caption, (), None, " ".join(reason[:2]))
    return item


def shown_plots(experiment: spec.Spec) -> list[spec.Plot]:
    """The figures in the order of `report`; all of them, in file order, where there is none."""
    plots = {plot.name: plot for plot in experiment.plots}
    chosen = [plots[name] for name in experiment.show if name in plots]
    return chosen or list(experiment.plots)


def drawn(plot: spec.Plot, results: Results) -> Drawn:
    """One figure with its caption and what must be known to read it."""
    try:
        chart = figure(plot, results)
        content = vega_lite(chart)
    except (Problem, ValueError, KeyError, TypeError, ArithmeticError) as error:
        reason = error.message if isinstance(error, Problem) else f"{type(error).__name__}: {error}"
        return Drawn(plot.name, plot.caption, (), None, reason)
    where = dict.fromkeys(condition(value, results.spec) for value in plot.arguments.values())
    only = [f"Only where {text}." for text in where if text]
    return Drawn(plot.name, plot.caption, (*only, *notes(chart)), content)


def page(results: Results, figures: list[Drawn], files: Sequence[Attached] = ()) -> str:
    """The HTML of the report."""
    experiment = results.spec
    lead, rest = sentences(experiment.about)
    used = methods(experiment)
    content: dict[str, Any] = {
        **frame(experiment.title, libraries(), part("page.js")),
        "spec": experiment,
        "record": results.record,
        "date": _date(results),
        "lead": lead,
        "about": rest,
        "cards": cards(results.spec, results.verdicts),
        "tally": _tally(results),
        "failures": groups(results),
        "figures": figures,
        "blocks": blocks(results),
        "files": files,
        "limit": ROWS,
        "graph": graph(results),
        "box": (WIDTH, HEIGHT),
        "listing": pieces(experiment.text),
        "claim_pieces": pieces,
        "methods": used,
        "provenance": provenance(results),
        "parameters": [(name, shown(value)) for name, value in experiment.parameters.items()],
        "config": STATIC,
    }
    return environment().get_template("page.html").render(content)


def part(name: str) -> str:
    """A style or script of this folder."""
    return (FOLDER / name).read_text(encoding="utf-8")


def frame(
    heading: str, *scripts: str, styles: Sequence[str] = ("page.css",), generator: str = "GenDSL"
) -> dict[str, Any]:
    """What every page has: its heading, style and scripts, and the policy that allows these scripts alone."""
    every = [part("theme.js"), *scripts]
    return {
        "heading": heading,
        "generator": generator,
        "style": Markup("\n".join(part(name) for name in styles)),
        "scripts": [Markup(script) for script in every],
        "policy": policy(every),
    }


@cache
def environment() -> jinja2.Environment:
    """Templates of this folder; whatever is printed into them is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["json"] = embedded
    made.filters["duration"] = duration
    made.filters["coded"] = coded
    return made


def embedded(value: Any) -> Markup:
    """JSON that may stand inside a script element: no text in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def coded(text: str) -> Markup:
    """Text in which what stands between backticks is code, as in docstrings."""
    parts = [escape(part) for part in text.split("`")]
    is_balanced = len(parts) % 2 == 1
    tags = (
        Markup("<code>{}</code>").format(part) if i % 2 and is_balanced else part
        for i, part in enumerate(parts)
    )
    return Markup("" if is_balanced else "`").join(tags)


def policy(scripts: list[str]) -> str:
    """A content security policy: these scripts and no others, pictures from inside the file, no network."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; form-action 'none'; base-uri 'none'"
    )


def sentences(about: str) -> tuple[str, tuple[str, ...]]:
    """The first sentence, and the paragraphs of the rest."""
    text, *others = [" ".join(part.split()) for part in re.split(r"\n\s*\n", about.strip())]
    for end in (place for place in range(1, len(text) - 1) if text[place - 1] in ".?!"):
        if text[end] == " " and text[end + 1].isupper():
            return text[:end], (text[end + 1 :], *others)
    return text, tuple(others)


def _date(results: Results) -> str:
    if results.record is None:
        return ""
    started = datetime.fromisoformat(results.record.started)
    return f"{started.day} {started:%B %Y, %H:%M} {started.tzname() or ''}".rstrip()


def _tally(results: Results) -> Mapping[str, int]:
    """How many claims came out each way, only those that occur."""
    outcomes = [str(verdict.outcome) for verdict in results.verdicts]
    return {word: outcomes.count(word) for word in ("supported", "refuted", "undecided") if word in outcomes}
