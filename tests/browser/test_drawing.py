"""Figures on demand: those in reach first, the others in idle time, all of them on paper."""

from __future__ import annotations

import re
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest

from gendsl_runtime.report.render import drawn, page
from tests.browser.chromium import CHROMIUM, MISSING, OPTIONS, tab
from tests.runtime.reported import PLOTS, results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
COPIES = 3
HEIGHTS = "[...document.querySelectorAll('[data-figure]')].map((one) => one.getBoundingClientRect().height)"
DRAWN = "document.querySelectorAll('[data-figure] svg.marks').length"
# Idle time never comes: what is drawn then was asked for by the window or by the printer.
NEVER_IDLE = "window.requestIdleCallback = () => 0;"
AHEAD = 16
"""Pixels by which a figure may be higher or lower than the place kept for it."""


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 21 figures."""
    plots = tuple(
        plot.model_copy(update={"name": f"{plot.name}_{k}"}) for k in range(COPIES) for plot in PLOTS
    )
    found = results(plots=plots)
    path = tmp_path_factory.mktemp("long") / "report.html"
    path.write_text(page(found, [drawn(plot, found) for plot in plots]), "utf-8")
    return path


def test_only_figures_in_reach_are_drawn_until_the_reader_comes_near(long: Path) -> None:
    with tab() as browser:
        browser.size(1200, 900)
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=NEVER_IDLE)
        browser.open(long).wait("document.body.dataset.drawn")
        assert browser.value(DRAWN) < 5
        browser.value("document.getElementById('figure-spread_2').scrollIntoView()")
        browser.wait("document.querySelector('#figure-spread_2 svg.marks')")
        assert browser.value(DRAWN) < COPIES * len(PLOTS)


def test_all_are_drawn_in_idle_time_and_found_by_a_search(long: Path) -> None:
    with tab() as browser:
        browser.size(1200, 900)
        browser.open(long).settled()
        assert browser.value(DRAWN) == COPIES * len(PLOTS)
        assert browser.value("find('train accuracy') && find('train accuracy')")


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_jumps_when_figures_are_drawn(long: Path, width: int) -> None:
    with tab() as browser:
        browser.size(width, 900)
        browser.call(
            "Page.addScriptToEvaluateOnNewDocument",
            source="""addEventListener('DOMContentLoaded', () => { window.kept = HEIGHTS; })""".replace(
                "HEIGHTS", HEIGHTS
            ),
        )
        browser.open(long).settled()
        kept, made = browser.value("kept"), browser.value(HEIGHTS)
    assert max(abs(before - after) for before, after in zip(kept, made)) <= AHEAD


def test_links_to_figures_and_papers_lead_there(long: Path) -> None:
    with tab() as browser:
        browser.size(1200, 900)
        browser.open(long.as_uri() + "#figure-plane_1").settled()
        assert (
            abs(browser.value("document.getElementById('figure-plane_1').getBoundingClientRect().top")) < 60
        )
        browser.value("location.hash = 'paper-1'")
        browser.wait("document.getElementById('paper-1').closest('details').open")
        assert browser.value("document.getElementById('paper-1').getBoundingClientRect().top") < 900


def test_printing_draws_every_figure_with_its_pictures(long: Path) -> None:
    with tab() as browser:
        browser.size(1200, 900)
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=NEVER_IDLE)
        browser.open(long).wait("document.body.dataset.drawn")
        assert browser.value(DRAWN) < 5
        early = browser.paper()
        assert browser.value(DRAWN) == COPIES * len(PLOTS)
        whole = browser.settled().paper()
    assert strokes(early) == strokes(whole) > 0
    assert pictures(early) == pictures(whole) > 0


def test_the_browser_prints_every_figure_without_a_window(long: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "printed.pdf"
        options = [one for one in OPTIONS if not one.startswith("--remote")]
        command = [str(CHROMIUM), *options, f"--user-data-dir={folder}/profile", f"--print-to-pdf={path}"]
        subprocess.run([*command, long.as_uri()], capture_output=True, timeout=120, check=True)
        content = path.read_bytes()
    with tab() as browser:
        whole = browser.open(long).settled().paper()
    assert strokes(content) == strokes(whole)
    assert pictures(content) == pictures(whole)


def streams(pdf: bytes) -> list[bytes]:
    """The compressed streams of a PDF, inflated."""
    found = []
    for content in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(content))
        except zlib.error:
            continue
    return found


def strokes(pdf: bytes) -> int:
    """How often something is painted in the second colour of the palette."""
    return sum(len(re.findall(rb"\.835\d* \.36\d* 0 rg", stream, re.IGNORECASE)) for stream in streams(pdf))


def pictures(pdf: bytes) -> int:
    """How often a picture is painted."""
    return sum(len(re.findall(rb"/X\d+ Do", stream)) for stream in streams(pdf))
