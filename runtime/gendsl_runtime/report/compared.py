"""The page that shows several runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gendsl_runtime.chart.style import STATIC
from gendsl_runtime.draft import write_whole
from gendsl_runtime.report.bundle import libraries
from gendsl_runtime.report.comparison import Comparison
from gendsl_runtime.report.render import Drawn, drawn, environment, frame, part
from gendsl_runtime.store.faults import told


@dataclass(frozen=True)
class Row:
    """The figures of one name, one a run; None where a run has none of that name."""

    name: str
    figures: tuple[Drawn | None, ...]


def render_comparison(found: Comparison, path: Path) -> Path:
    """Writes the page, one file that loads nothing; returns its path.

    Raises:
        Problem: `disk-full` or `store-unwritable`.
    """
    with told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, comparison_page(found).encode())
    return path


def comparison_page(found: Comparison) -> str:
    """The HTML of the comparison."""
    changed = [claim for claim in found.claims if claim.is_changed]
    heading = f"{', '.join(found.names[:-1])} and {found.names[-1]}"
    return (
        environment()
        .get_template("compare.html")
        .render(
            frame(heading, libraries(), part("page.js")),
            found=found,
            changed=len(changed),
            parts=("Specification", "Environment"),
            figures=_figures(found),
            config=STATIC,
        )
    )


def _figures(found: Comparison) -> list[Row]:
    plots = [{plot.name: plot for plot in run.spec.plots} for run in found.runs]
    return [
        Row(
            name,
            tuple(
                drawn(known[name], run) if name in known else None for known, run in zip(plots, found.runs)
            ),
        )
        for name in dict.fromkeys(name for known in plots for name in known)
    ]
