"""The report in headless Chromium: it draws, says nothing in the console and asks nothing of the network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gendsl_runtime.report.render import render_report
from tests.browser.chromium import tab
from tests.runtime.reported import PLOTS, results

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `apt-get install chromium` to run these"
)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
ADDRESS = re.compile(r'"url":("(?:[^"\\]|\\.)*")')
ATTACK = "</script><img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


class Tags(HTMLParser):
    """The elements there are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


def opened(page: Path, *options: str) -> tuple[str, str, list[str]]:
    """The page's elements once its scripts have run, its console, and every address that was asked for."""
    with tempfile.TemporaryDirectory() as profile:
        log = Path(profile) / "net.json"
        command = [
            str(CHROMIUM),
            *QUIET,
            f"--user-data-dir={profile}",
            f"--log-net-log={log}",
            "--enable-logging=stderr",
            "--virtual-time-budget=15000",
            *options,
            "--dump-dom",
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        asked = addresses(log.read_text(encoding="utf-8")) if log.exists() else []
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return done.stdout, console, asked


def addresses(log: str) -> list[str]:
    """Addresses that the page asked for, from a net log of one event a line; the browser's own requests (updates,
    clock) have no origin."""
    lines = [line for line in log.splitlines() if '"initiator":"not an origin"' not in line]
    found = [json.loads(text) for line in lines if '"initiator"' in line for text in ADDRESS.findall(line)]
    return sorted({address for address in found if address.startswith(("http", "ws"))})


def test_a_page_that_asks_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "asking.html"
    page.write_text('<img src="http://127.0.0.1:9/picture.png"><script>console.log("said")</script>')
    _, console, asked = opened(page)
    assert asked == ["http://127.0.0.1:9/picture.png"]
    assert "said" in console


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_report(results(), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def shown(page: Path) -> tuple[str, str, list[str]]:
    _, console, asked = opened(page, "--window-size=1200,1000")
    return whole(page, 1200)[0], console, asked


def whole(page: Path, width: int) -> tuple[str, list[float]]:
    """The page once every figure is drawn, and how wide the figures are."""
    with tab() as browser:
        browser.size(width, 900)
        browser.open(page).wait(f"document.querySelectorAll('svg.marks').length == {len(PLOTS)}")
        browser.wait(f"document.body.dataset.drawn == {len(PLOTS)}")
        widths = "[...document.querySelectorAll('svg.marks')].map((one) => one.getBoundingClientRect().width)"
        return browser.value("document.documentElement.outerHTML"), browser.value(widths)


def test_every_figure_is_drawn(shown: tuple[str, str, list[str]]) -> None:
    content, _, _ = shown
    assert f'data-drawn="{len(PLOTS)}"' in content
    assert "data-failed" not in content
    assert content.count('class="marks"') == len(PLOTS)
    assert "mark-line" in content
    assert "mark-image" in content


def test_the_console_is_silent_and_nothing_is_asked_for(shown: tuple[str, str, list[str]]) -> None:
    _, console, asked = shown
    assert console == ""
    assert asked == []


def test_tools_and_theme_appear_with_scripts(shown: tuple[str, str, list[str]]) -> None:
    content, _, _ = shown
    assert content.count('class="tools">') == len(PLOTS)
    assert re.search(r'id="theme"[^>]*>(Dark|Light)<', content)


def test_figures_fit_a_narrow_window(page: Path) -> None:
    _, console, _ = opened(page, "--window-size=500,900")
    assert max(whole(page, 500)[1]) <= 500
    assert console == ""


def test_hostile_text_does_nothing_in_a_browser(tmp_path: Path) -> None:
    base = results()
    axis = base.spec.axes["noise"].model_copy(update={"labels": (ATTACK, "20%")})
    hostile = results(
        title=ATTACK,
        about=ATTACK,
        text=ATTACK,
        axes={**base.spec.axes, "noise": axis},
        plots=tuple(plot.model_copy(update={"caption": ATTACK}) for plot in PLOTS),
    )
    page = render_report(hostile, tmp_path)
    _, console, asked = opened(page, "--window-size=1200,1000")
    content, _ = whole(page, 1200)
    assert "<title>taken</title>" not in content
    parser = Tags()
    parser.feed(content)
    assert "img" not in parser.found
    assert "svg" in parser.found
    assert console == ""
    assert asked == []
