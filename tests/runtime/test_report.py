"""The report page: whole, in order, self-contained, and no text of a spec can become markup or script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import vl_convert

from gendsl.spec import Number
from gendsl_runtime.archive import load, save
from gendsl_runtime.report.papers import papers
from gendsl_runtime.report.render import coded, embedded, render_report
from tests.runtime.reported import CLAIMS, PLOTS, plot, results, verdict

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "{{ 7 * 7 }}{% raw %}",
    "<!--<script>",
    "' onclick='alert(1)",
    "javascript:alert(1)",
    "\u2028</title><svg/onload=alert(1)>",
)
URLS = {"src", "href", "action", "data", "poster", "srcset", "formaction", "background", "xlink:href"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of each script and of everything else."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        else:
            self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run")
    found = results()
    save(found, place)
    render_report(found, place)
    return place


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_sections_stand_in_order(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    order = [text.index(f'id="{name}"') for name in ("verdicts", "failures", "figures", "details")]
    assert order == sorted(order)
    assert text.index("<h1>") < order[0]


def test_every_claim_has_its_words_outcome_and_interval(page: Page) -> None:
    cards = [attributes for tag, attributes in page.elements if tag == "article"]
    assert [card["id"] for card in cards] == [f"claim-{claim.name}" for claim in CLAIMS]
    for claim in CLAIMS:
        assert claim.text in page.text
    for words in (
        "supported",
        "refuted",
        "undecided",
        "one seed says nothing about others",
        "fewer than 5 seeds",
    ):
        assert words in page.text
    assert "4% against 14%: −10 percentage points, 95% interval −15 to −5" in page.text
    assert "100%" in page.text
    assert "2 cases (1 supported, 1 refuted)" in page.text


def test_failures_are_said_once_with_what_they_took_along(page: Page) -> None:
    assert page.text.count("diverged: the loss was not finite after 41 steps") == 1
    assert "width 4, noise 20%, seed 3" in page.text
    assert "too: gap, curve" in page.text


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form"), tag
        for name in URLS & attributes.keys():
            value = attributes[name] or ""
            allowed = value.startswith("#") or (tag == "a" and value.startswith("https://"))
            assert allowed, (tag, name, value[:80])
        assert not [name for name in attributes if name.startswith("on")], attributes


def test_the_policy_allows_the_three_scripts_and_no_network(page: Page) -> None:
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")) or ""
    code = [text for attributes, text in page.scripts if "type" not in attributes]
    assert len(code) == 3
    for script in code:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_the_page_is_small(folder: Path) -> None:
    assert (folder / "report.html").stat().st_size < 3_000_000


def test_figures_are_vega_lite_that_compiles_and_lie_beside_the_page(folder: Path, page: Page) -> None:
    charts = {a["data-chart"]: json.loads(text) for a, text in page.scripts if "data-chart" in a}
    assert list(charts) == [plot.name for plot in PLOTS]
    for name, chart in charts.items():
        assert "url" not in chart.get("data", {})
        compiled = vl_convert.vegalite_to_vega(chart)
        assert compiled["marks"]
        for ending in ("json", "svg", "png", "pdf"):
            assert (folder / "figures" / f"{name}.{ending}").stat().st_size > 500
    assert (folder / "figures" / "cloud.svg").read_text().startswith("<svg")
    assert (folder / "figures" / "cloud.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "figures" / "cloud.pdf").read_bytes().startswith(b"%PDF")


def test_axis_titles_carry_units(tmp_path: Path) -> None:
    from gendsl.spec import Coordinate, Quantity

    volume = plot(
        "volumes", "bar", x=Coordinate(axis="noise"), y=Quantity(step="vol", name="log_volume", unit="nats")
    )
    render_report(results(plots=(volume,)), tmp_path)
    assert "vol log volume (nats)" in (tmp_path / "figures" / "volumes.json").read_text()


def test_tables_hold_every_scalar_and_sort_by_whole_values(page: Page) -> None:
    cells = [attributes for tag, attributes in page.elements if tag == "td" and "data-v" in attributes]
    exact = float(results()["gap"].error.sel(width=64, noise="0%", seed=0))
    assert repr(exact) in [cell["data-v"] for cell in cells]
    buttons = [attributes for tag, attributes in page.elements if tag == "button"]
    assert [b["data-csv"] for b in buttons if "data-csv" in b].count("gap") == 1
    assert "curve.epoch.parquet" in page.text


def test_methods_and_references_come_from_the_components(page: Page) -> None:
    known = papers()
    for key in ("neyshabur2015search", "pedregosa2011scikit", "sutskever2013importance"):
        assert known[key].fields["title"] in page.text
    assert "A note nobody listed" in page.text
    bibtex = next(json.loads(text) for a, text in page.scripts if a.get("id") == "bibtex-text")
    assert "@inproceedings{neyshabur2015search," in bibtex


def test_provenance_names_what_is_needed_to_repeat_it(page: Page) -> None:
    for text in (
        "gen run small.gen --set 'title=a b'",
        "torch 2.13.0",
        "small-001",
        "0123456789abcdef",
        "0 … 3",
    ):
        assert text in page.text or text == "0 … 3"
    assert "seed: 0, 1, 2, 3" in page.text


def test_the_spec_is_printed_whole_with_its_parts_marked(page: Page) -> None:
    assert 'experiment small { title = "x" }' in page.text
    assert ("span", {"class": "comment"}) in page.elements


def test_a_saved_run_gives_the_same_page_again(folder: Path, tmp_path: Path) -> None:
    for table in folder.glob("*.parquet"):
        shutil.copy(table, tmp_path)
    again = render_report(load(folder), tmp_path)
    assert again.read_text() == (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("innocent")
    return Page(render_report(results(), folder).read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_spec_becomes_markup(text: str, innocent: Page, tmp_path: Path) -> None:
    base = results()
    axis = base.spec.axes["noise"].model_copy(update={"name": "noise", "labels": (text, "20%")})
    hostile = results(
        title=text,
        about=f"{text}. {text}",
        text=text,
        path=text,
        paper=("neyshabur2015search", text),
        axes={**base.spec.axes, "noise": axis},
        plots=tuple(item.model_copy(update={"caption": text}) for item in PLOTS),
        parameters={text: Number(value=1)},
        preset=text,
    )
    said = (verdict("fits", "undecided", text=text, caption=text, reason=text, warnings=(text,), kind=text),)
    failures = tuple(replace(failure, reason=text) for failure in hostile.failures)
    page = Page(
        render_report(
            replace(hostile, verdicts=(*said, *hostile.verdicts[1:]), failures=failures), tmp_path
        ).read_text(encoding="utf-8")
    )
    assert text in page.text
    tags = {tag for tag, _ in page.elements}
    assert tags <= {tag for tag, _ in innocent.elements} | {"i"}
    assert len(page.scripts) == len(innocent.scripts)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    for attributes, script in page.scripts:
        if attributes.get("type") == "application/json":
            json.loads(script)


def test_a_figure_that_cannot_be_drawn_says_why_and_spares_the_rest(tmp_path: Path) -> None:
    from gendsl.spec import Quantity

    broken = plot("broken", "image", value=Quantity(step="gap", name="error"))
    flat = plot("flat", "image", value=Quantity(step="vol", name="log_volume"))
    page = Page(render_report(results(plots=(broken, flat, PLOTS[0])), tmp_path).read_text())
    assert page.text.count("This figure could not be drawn.") == 1
    assert "draws a quantity over two axes" in page.text
    assert [a["data-chart"] for a, _ in page.scripts if "data-chart" in a] == ["broken", "by_width"]


def test_a_run_without_claims_figures_or_record_still_has_a_page(tmp_path: Path) -> None:
    bare = replace(results(claims=(), plots=()), verdicts=(), record=None, failures=())
    page = Page(render_report(bare, tmp_path).read_text())
    assert "states no claims" in page.text
    assert not re.search(r"Figure 1", page.text)


def test_embedded_json_cannot_leave_its_element() -> None:
    text = embedded(list(HOSTILE))
    assert "<" not in text
    assert json.loads(text) == list(HOSTILE)


def test_backticks_become_code_and_nothing_else_does() -> None:
    assert coded("a `b <i>` c") == "a <code>b &lt;i&gt;</code> c"
    assert coded("a ` <b>") == "a ` &lt;b&gt;"


def test_what_an_experiment_says_of_itself_may_hold_code(tmp_path: Path) -> None:
    """`about`, captions of claims and captions of figures; what stands between backticks is escaped there, too."""
    hostile = "Of `<b>full</b>`. It `</p><script>alert(1)</script>` ends."
    drawn = tuple(item.model_copy(update={"caption": hostile}) for item in PLOTS[:1])
    made = results(about=f"{hostile}\n\n{hostile}", plots=drawn)
    said = (verdict("fits", "supported", caption=hostile), *made.verdicts[1:])
    text = render_report(replace(made, verdicts=said), tmp_path).read_text(encoding="utf-8")
    assert text.count("<code>&lt;b&gt;full&lt;/b&gt;</code>") == 4
    assert "<script>alert(1)" not in text
    assert not re.search(r'aria-label="[^"]*`', text)
