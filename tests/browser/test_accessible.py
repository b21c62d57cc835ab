"""What a reader with a keyboard, a screen reader or other eyes finds: axe-core in headless Chromium, light and dark.

`axe.min.js` is axe-core 4.14.1 as published (Deque Systems, MPL 2.0, see `axe.LICENSE.txt`;
https://github.com/dequelabs/axe-core). It runs in a copy of the page without the policy that forbids it.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from gendsl.spec import Coordinate
from gendsl_runtime.chart.style import PALETTE
from gendsl_runtime.report.compared import comparison_page
from gendsl_runtime.report.comparison import compare
from gendsl_runtime.report.render import render_report
from tests.browser.test_page import opened
from tests.runtime.reported import CURVE, LINE, PLOTS, plot, results

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    reason="no Chromium here: `apt-get install chromium` to run these",
)
AXE = Path(__file__).with_name("axe.min.js")
ASK = """
setTimeout(async () => {
  const said = document.createElement("pre");
  said.id = "said";
  said.textContent = JSON.stringify(await (async () => { %s })().catch((error) => String(error)));
  document.body.append(said);
}, 4000);
"""
CHECK = """
const found = await axe.run(document, { resultTypes: ["violations"] });
return found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 120))]);
"""
MOVE = """
const input = document.querySelector("[data-slide]");
const places = () => [...document.querySelectorAll("[data-figure=moving] .mark-symbol.role-mark path")]
  .map((node) => node.getAttribute("transform")).join();
const before = [input.getAttribute("aria-valuetext"), places()];
input.value = 0;
input.dispatchEvent(new Event("input"));
await new Promise((next) => setTimeout(next, 500));
document.querySelector("#figure-by_width .keys button").click();
const faded = [...document.querySelectorAll("[data-figure=by_width] .role-mark path")]
  .filter((node) => node.style.opacity === "0.07").length;
const saved = [];
HTMLAnchorElement.prototype.click = function () { saved.push([this.download, this.href.slice(0, 40)]); };
document.querySelectorAll("[data-csv], [data-file], #bibtex").forEach((button) => button.click());
return { before, after: [input.getAttribute("aria-valuetext"), places()], faded, saved };
"""
ORDER = """
const stops = [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
  .filter((node) => node.checkVisibility());
const reordered = "[tabindex]:not([tabindex='0']):not([tabindex='-1'])";
return { first: stops[0].className, positive: document.querySelectorAll(reordered).length,
  landmarks: ["header", "main", "footer", "nav"].map((tag) => document.querySelectorAll(`body ${tag}`).length),
  levels: [...document.querySelectorAll("h1, h2, h3, h4")].map((node) => Number(node.tagName[1])) };
"""


def asked(page: str, question: str, folder: Path, *options: str) -> object:
    """What a script says of the page once its figures are drawn, all folded parts open."""
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    head, library, rest = free.partition("\n<script>")
    free = re.sub(r"<details(?=[ >])", "<details open", head) + library + rest
    scripts = [AXE.read_text("utf-8"), ASK % question]
    added = "".join(f"<script>{script}</script>" for script in scripts)
    path = folder / "asked.html"
    before, end, after = free.rpartition("</body>")
    path.write_text(before + added + end + after, "utf-8")
    content, _, _ = opened(path, "--window-size=1200,1000", *options)
    found = re.search(r'<pre id="said">(.*?)</pre>', content, re.DOTALL)
    assert found, "the script did not come to its end"
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    moving = plot(
        "moving",
        "line",
        x=Coordinate(axis="width"),
        y=CURVE,
        color=Coordinate(axis="noise"),
        slider=Coordinate(axis="epoch"),
        **LINE,
    )
    folder = tmp_path_factory.mktemp("run")
    (folder / "gap.parquet").write_bytes(b"PAR1")
    return render_report(results(plots=(*PLOTS, moving)), folder).read_text("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_report(page: str, theme: str, tmp_path: Path) -> None:
    themed = page.replace('<html lang="en">', f'<html lang="en" data-theme="{theme}">')
    assert asked(themed, CHECK, tmp_path) == []


def test_axe_finds_nothing_in_a_comparison(tmp_path: Path) -> None:
    found = compare(["one", "two"], [results(), results(plots=PLOTS[2:], preset="smoke")])
    assert asked(comparison_page(found), CHECK, tmp_path) == []


def test_sliders_move_legends_single_out_and_downloads_are_there(page: str, tmp_path: Path) -> None:
    said = asked(page, MOVE, tmp_path)
    assert isinstance(said, dict)
    assert (said["before"][0], said["after"][0]) == ("30", "1")
    assert said["before"][1] != said["after"][1]
    assert said["faded"] > 0
    names = {name for name, _ in said["saved"]}
    assert {"gap.csv", "gap-means.csv", "references.bib", "gap.parquet"} <= names
    assert ["gap.parquet", "data:application/vnd.apache.parquet;base64,UEFSMQ=="[:40]] in said["saved"]


def test_keyboard_order_landmarks_and_headings(page: str, tmp_path: Path) -> None:
    said = asked(page, ORDER, tmp_path)
    assert isinstance(said, dict)
    assert said["first"] == "skip"
    assert said["positive"] == 0, "no tabindex reorders the page"
    assert said["landmarks"] == [1, 1, 1, 1]
    levels = said["levels"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


# Viénot, Brettel and Mollon (1999), in linear RGB: what protanopes and deuteranopes see; tritanopes after Brettel
# et al. (1997) as one plane.
SEEN = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    "tritanopia": [[1, 0.14461, -0.14461], [0, 0.85924, 0.14076], [0, 0.85924, 0.14076]],
}


def lab(colour: str, seen: list[list[float]]) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    encoded = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.array(to_xyz) @ linear / [0.9505, 1, 1.089]
    f = [value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", SEEN)
def test_the_first_series_are_told_apart_by_colour_blind_readers(kind: str) -> None:
    for one, other in combinations(PALETTE[:4], 2):
        distance = float(np.linalg.norm(lab(one, SEEN[kind]) - lab(other, SEEN[kind])))
        assert distance > 10, (one, other, distance)
