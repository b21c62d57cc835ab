"""The report with the keyboard alone: what Tab reaches and in which order, and that all of it works there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gendsl.spec import Coordinate
from gendsl_runtime.report.render import render_report
from tests.browser.chromium import CHROMIUM, MISSING, Tab, tab
from tests.runtime.reported import CURVE, LINE, PLOTS, plot, results

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
MOVING = plot(
    "moving",
    "line",
    x=Coordinate(axis="width"),
    y=CURVE,
    color=Coordinate(axis="noise"),
    slider=Coordinate(axis="epoch"),
    **LINE,
)
PLACE = """(() => {
  const node = document.activeElement;
  const figure = node.closest("figure");
  const style = getComputedStyle(node);
  return [figure ? figure.id : "", node.tagName, node.textContent.trim().slice(0, 40), node.matches(":focus-visible"),
    style.outlineStyle !== "none" || node.tagName === "INPUT" || style.boxShadow !== "none", node === document.body];
})()"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Tab]:
    path = render_report(results(plots=(PLOTS[0], MOVING)), tmp_path)
    with tab() as browser:
        browser.size(1200, 900)
        yield browser.open(path).settled()


def walked(page: Tab) -> list[list[object]]:
    """What Tab goes to, from the top of the page to its end."""
    found: list[list[object]] = []
    for _ in range(200):
        page.key("Tab")
        place = page.value(PLACE)
        if place[-1]:
            return found
        found.append(place)
    raise AssertionError("Tab never leaves the page")


def test_tab_goes_through_the_page_in_reading_order_and_is_seen(page: Tab) -> None:
    found = walked(page)
    texts = [place[2] for place in found]
    assert texts[:2] == ["Skip to the verdicts", "Dark"]
    assert texts[2:6] == ["Verdicts", "Failures", "Figures", "Details"]
    ours = [place[1:3] for place in found if place[0] == "figure-moving"]
    assert [text for tag, text in ours] == ["", "0%", "20%", "SVG", "PNG", "Vega-Lite", "Data"]
    assert ours[0][0] == "INPUT"
    assert texts.index("0%") < texts.index("Methods and references") < texts.index("Provenance")
    assert all(place[3] and place[4] for place in found), "the focus is seen wherever it is"


def focus(page: Tab, selector: str) -> None:
    page.value(f"document.querySelector({selector!r}).focus()")


def test_a_series_is_singled_out_with_the_keyboard(page: Tab) -> None:
    marks = "[...document.querySelectorAll('[data-figure=by_width] .role-mark path')]"
    faded = f"{marks}.filter((one) => one.style.opacity).length"
    pressed = (
        "[...document.querySelectorAll('#figure-by_width .keys button')].map((one) => one.ariaPressed).join()"
    )
    focus(page, "#figure-by_width .keys button")
    assert (page.value(faded), page.value(pressed)) == (0, "false,false")
    page.key("Enter")
    assert page.value(faded) > 0
    assert page.value(pressed) == "true,false"
    page.key(" ")
    assert (page.value(faded), page.value(pressed)) == (0, "false,false")


def test_the_buttons_lie_over_the_entries_of_the_legend(page: Tab) -> None:
    found = page.value("""(() => {
      const middle = (node) => {
        const box = node.getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2];
      };
      document.querySelector('#figure-by_width').scrollIntoView();
      const entries = [...document.querySelectorAll('[data-figure=by_width] .role-legend-label > text')];
      return entries.map((one) => document.elementFromPoint(...middle(one)).textContent);
    })()""")
    assert found == ["0%", "20%"]


def test_sliders_and_tables_move_with_the_keyboard(page: Tab) -> None:
    focus(page, "[data-slide]")
    page.key("ArrowLeft")
    assert page.value("document.querySelector('[data-slide]').getAttribute('aria-valuetext')") == "29"
    page.key("Home")
    assert page.value("document.querySelector('[data-slide]').getAttribute('aria-valuetext')") == "1"
    page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    table = "document.querySelector('[data-sort]').closest('table')"
    column = f"[...{table}.tBodies[0].rows].map((row) => row.cells[0].textContent)"
    focus(page, "[data-sort]")
    page.key("Enter")
    rising = page.value(column)
    page.key("Enter")
    assert page.value("document.activeElement.closest('th').ariaSort") == "descending"
    assert page.value(column) == rising[::-1] != rising


def test_figures_are_said_in_words(page: Tab) -> None:
    said = page.value("""(() => {
      const image = document.querySelector('#figure-by_width [role=img]');
      return [image.ariaLabel, document.getElementById(image.getAttribute('aria-describedby')).textContent];
    })()""")
    assert said[0] == "Curves of gap error against width, by noise. The caption of by_width."
    assert said[1].startswith("gap error by noise: 0%: 15.68% at width 4 and 3.023% at width 64")
