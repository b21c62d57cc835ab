"""A page that shows finished experiments side by side: a picture, the verdicts and the way to the report of each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gendsl_runtime.draft import write_whole
from gendsl_runtime.report.cards import MARKS, cards
from gendsl_runtime.report.picture import Picture, picture
from gendsl_runtime.report.render import environment, frame, sentences, shown_plots
from gendsl_runtime.report.words import duration
from gendsl_runtime.results import Results
from gendsl_runtime.store.faults import told

INDEX = "index.html"
GENERATOR = "GenDSL gallery"
"""By which `gen gallery` knows a page of its own."""
ANCHOR = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class Claimed:
    """The verdict on one claim, for one line."""

    name: str
    outcome: str
    mark: str
    estimate: str


@dataclass(frozen=True)
class Exhibit:
    """One experiment; `fault` says why it has no report, else `report` leads there."""

    name: str
    family: str
    title: str
    sentence: str = ""
    picture: Picture | None = None
    claims: tuple[Claimed, ...] = ()
    facts: tuple[str, ...] = ()
    """Seeds, trainings, time, preset."""
    failures: int = 0
    """Results that are missing."""
    report: str = ""
    fault: str = ""

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        return ANCHOR.sub("-", self.name)


def exhibit(results: Results, folder: Path, *, name: str, family: str, report: str) -> Exhibit:
    """What the page says of one run.

    Args:
        folder: of the run, with its figures.
        report: where its report is, as seen from the page.
    """
    found = cards(results.spec, results.verdicts)
    return Exhibit(
        name=name,
        family=family,
        title=results.spec.title,
        sentence=sentences(results.spec.about)[0],
        picture=picture(shown_plots(results.spec), folder, key=ANCHOR.sub("-", name)),
        claims=tuple(
            Claimed(card.verdict.name.replace("_", " "), str(card.verdict.outcome), card.mark, card.estimate)
            for card in found
        ),
        facts=tuple(_facts(results)),
        failures=len(results.failures),
        report=report,
    )


def tally(exhibits: Sequence[Exhibit]) -> Mapping[str, int]:
    """How many claims of these came out each way, only those that occur."""
    counts = Counter(claim.outcome for one in exhibits for claim in one.claims)
    return {word: counts[word] for word in MARKS if counts[word]}


def render_gallery(exhibits: Sequence[Exhibit], folder: Path, *, preset: str | None = None) -> Path:
    """Writes the page, one file that loads nothing; returns its path.

    Raises:
        Problem: `disk-full` or `store-unwritable`.
    """
    path = folder / INDEX
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, gallery_page(exhibits, preset=preset).encode())
    return path


def gallery_page(exhibits: Sequence[Exhibit], *, preset: str | None = None) -> str:
    """The HTML of the page."""
    return (
        environment()
        .get_template("gallery.html")
        .render(
            frame("Gallery of experiments", styles=("page.css", "gallery.css"), generator=GENERATOR),
            exhibits=exhibits,
            tally=tally(exhibits),
            faults=[one for one in exhibits if one.fault],
            preset=preset,
        )
    )


def _facts(results: Results) -> list[str]:
    experiment, record = results.spec, results.record
    seeds = sum(len(axis.values) for axis in experiment.axes.values() if axis.kind == "seeds")
    facts = [f"{seeds} seed{'s' * (seeds != 1)}"] if seeds else []
    if record is not None:
        trained = sum(step.total for step in record.steps if step.kind == "train")
        facts += [f"{trained:,} training{'s' * (trained != 1)}"] if trained else []
        is_cold = not any(step.cached for step in record.steps if step.kind == "train")
        facts += [f"{duration(sum(step.seconds for step in record.steps))} CPU"] if is_cold else []
    return facts + ([f"preset {experiment.preset}"] if experiment.preset else [])
