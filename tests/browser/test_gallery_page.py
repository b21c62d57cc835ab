"""The gallery in headless Chromium: it fits, loads nothing, prints, and axe finds nothing, light and dark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from gendsl_runtime.report.gallery import Claimed, Exhibit, render_gallery
from gendsl_runtime.report.picture import Picture
from tests.browser.chromium import CHROMIUM, MISSING, tab
from tests.browser.test_accessible import CHECK, asked

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
SVG = Markup(
    '<svg viewBox="0 0 600 300" class="marks"><g class="mark-text role-axis-title">'
    '<text x="9" y="99">width</text></g></svg>'
)
DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
LONG = "a_name_without_any_place_to_break_it_that_is_much_longer_than_a_telephone_is_wide_" * 2
ATTACK = "</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    claims = (
        Claimed("wide wins", "supported", "✓", "2%"),
        Claimed(LONG, "refuted", "✗", ATTACK),
        Claimed(ATTACK, "undecided", "?", "no estimate"),
    )
    first = Exhibit(
        name="minima/first",
        family="minima",
        title="Wide networks win",
        sentence="They do.",
        picture=Picture("by_width", "Error by width", svg=SVG),
        claims=claims,
        facts=("10 seeds", "20 trainings", "14 s CPU"),
        report="minima/first/report.html",
    )
    picture = Picture("dot", ATTACK, png=DOT)
    second = replace(first, name="second", title=ATTACK, sentence=LONG, picture=picture, failures=2)
    lost = Exhibit(name="lost", family="your own", title="Lost", fault=f"error: {ATTACK}\n{LONG}")
    bare = replace(first, name="bare", picture=None, claims=(), facts=(), sentence="")
    folder = tmp_path_factory.mktemp("gallery")
    return render_gallery([first, second, lost, bare], folder, preset="smoke")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Path, theme: str, tmp_path: Path) -> None:
    text = page.read_text("utf-8").replace('<html lang="en">', f'<html lang="en" data-theme="{theme}">')
    assert asked(text, CHECK, tmp_path) == []


def test_it_fits_loads_nothing_and_runs_nothing_foreign(page: Path) -> None:
    with tab() as one:
        for width in (320, 390, 1280):
            one.size(width, 800, is_phone=width < 500)
            one.open(page)
            assert one.value("document.documentElement.scrollWidth <= innerWidth"), width
        assert one.value("document.title") == "Gallery of experiments"
        assert (
            one.value(
                "getComputedStyle(document.querySelector('main')).gridTemplateColumns.split(' ').length"
            )
            == 2
        )
        assert set(one.asked) <= {page.as_uri(), DOT}
        assert one.said == [] and one.dialogs == []
        assert len(one.paper()) > 1000


def test_the_keyboard_goes_from_report_to_report_and_changes_the_theme(page: Path) -> None:
    with tab() as one:
        one.media(scheme="dark")
        one.open(page)
        stops = []
        for _ in range(6):
            one.key("Tab")
            stops.append(
                one.value("document.activeElement.getAttribute('href') || document.activeElement.id")
            )
        report = "minima/first/report.html"
        assert stops == ["#main", "theme", "#lost", report, report, report]
        one.value("document.getElementById('theme').focus()")
        one.key("Enter")
        assert one.value("document.documentElement.dataset.theme") == "light"
