"""A run as a notebook shows it: verdicts and figures in one piece of HTML without scripts."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from gendsl import spec
from gendsl_runtime.report.cards import cards
from gendsl_runtime.report.files import encoded
from gendsl_runtime.report.render import drawn, environment
from gendsl_runtime.results import Results


@dataclass(frozen=True)
class Pictured:
    """A figure; `picture` is its SVG in base64, empty where it could not be drawn."""

    name: str
    caption: str
    summary: str
    picture: str
    fault: str = ""


def cell(results: Results, page: str = "") -> str:
    """The HTML of a run, every text of it escaped; figures are pictures, so that nothing in it runs.

    Args:
        page: where the whole report is.
    """
    figures = [_pictured(plot, results) for plot in results.spec.plots]
    return (
        environment()
        .get_template("notebook.html")
        .render(
            spec=results.spec,
            cards=cards(results.spec, results.verdicts),
            figures=figures,
            failures=len(results.failures),
            names=list(results),
            page=page,
        )
    )


def _pictured(plot: spec.Plot, results: Results) -> Pictured:
    item = drawn(plot, results)
    if item.chart is None:
        return Pictured(plot.name, plot.caption, "", "", item.fault)
    try:
        svg = encoded(item.chart, ["svg"])["svg"]
    except ValueError as error:
        return Pictured(plot.name, plot.caption, "", "", str(error).partition("\n")[0])
    summary = str(item.chart["usermeta"]["summary"])
    return Pictured(plot.name, plot.caption, summary, base64.b64encode(svg).decode("ascii"))
