"""The live page in headless Chromium: it follows a run from its start to its report, and hostile runs do nothing.

The run is slowed by its length alone; it goes on in a process of its own beside a `gen serve` on a free port.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.chromium import CHROMIUM, MISSING, Tab, tab
from tests.runtime.watched import kept

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
GEN = [sys.executable, "-c", "from gendsl_runtime.cli import main; raise SystemExit(main())"]
AXE = Path(__file__).with_name("axe.min.js")
ATTACK = "</script><img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
SPEC = """
experiment watched { title = "Something to be watched" about = "It is slow enough." }
seeds 0..5
sweep width in [4, 64]
dataset digits = sklearn_digits(train=300, test=200)
train fit {
    model = mlp(hidden=[width])
    dataset = digits
    optimizer = sgd(lr=0.1)
    batch = 10
    budget = EPOCHS epochs
}
analysis gap = generalization_gap(fit)
plot errors = line(x=width, y=gap.error)
claim wider: mean(gap.error where width == 4) > mean(gap.error where width == 64) at 95%
claim narrow: mean(gap.error where width == 4) < 1% at 95%
"""
# Marked once the page was loaded: whatever reloads it takes the mark away.
MARK = "window.mark = 'kept'"
CHECK = """(async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html.slice(0, 120))]);
})()"""


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """The address of a server of this store."""
    server = subprocess.Popen([*GEN, "serve", "--store", str(store)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    try:
        yield server.stdout.readline().strip()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0


@contextmanager
def running(folder: Path, *, epochs: int) -> Iterator[subprocess.Popen[str]]:
    """A run of the spec."""
    path = folder / "watched.gen"
    path.write_text(SPEC.replace("EPOCHS", str(epochs)))
    run = subprocess.Popen(
        [*GEN, "run", str(path), "--store", str(folder / "store")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield run
    finally:
        run.kill()
        run.wait()


def pictured(page: Tab, name: str) -> None:
    """Keeps a picture, where somebody wants to look at them."""
    if folder := os.environ.get("GENDSL_PICTURES"):
        page.picture(Path(folder) / f"{name}.png")


def sound(page: Tab) -> None:
    """Axe-core finds nothing, and nothing is wider than the window."""
    page.value(AXE.read_text("utf-8"))
    assert page.value(CHECK) == []
    assert page.value("document.documentElement.scrollWidth <= innerWidth")


def numbers(page: Tab, name: str) -> str:
    """What the picture of the declarations says of one of them."""
    return str(
        page.value(
            f"[...document.querySelectorAll('.node')].find((n) => n.textContent.includes('{name}')).textContent"
        )
    )


def test_a_run_is_followed_from_its_start_to_its_report(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with serving(tmp_path / "store") as address, tab() as page:
        page.size(1200, 900)
        page.open(address)
        page.wait("document.body.innerText.includes('Nothing runs at the moment')")
        sound(page)
        page.value(MARK)
        with running(tmp_path, epochs=1000) as run:
            page.wait("document.querySelectorAll('#going li').length === 1")
            assert "Something to be watched" in page.value("document.querySelector('#going').innerText")
            page.value("document.querySelector('#going a').click()")
            page.wait("document.title === 'Something to be watched'")
            page.wait("document.querySelectorAll('.stack .mean').length > 0")
            page.wait("document.querySelectorAll('.node.running').length > 0")
            assert page.value("document.querySelectorAll('.card.open').length") == 2
            before = [
                numbers(page, "fit"),
                page.value("document.querySelector('.stack .mean').getAttribute('d')"),
            ]
            share = float(
                page.value("document.querySelector('[role=progressbar]').getAttribute('aria-valuenow')")
            )
            for scheme, width in (("light", 1200), ("dark", 1200), ("dark", 390), ("light", 390)):
                page.media(scheme=scheme)
                page.size(width, 900, is_phone=width < 500)
                sound(page)
                pictured(page, f"run-{scheme}-{width}")
            page.size(1200, 900)
            page.wait(
                f"Number(document.querySelector('[role=progressbar]').getAttribute('aria-valuenow')) > {share}"
            )
            assert page.value("document.querySelector('.stack .mean').getAttribute('d')") != before[1]
            assert run.wait(120) == 0
        page.wait("!!document.querySelector('#report')")
        assert page.value("document.querySelectorAll('.card.open').length") == 0
        assert page.value("document.querySelectorAll('.card.supported').length") == 1
        assert page.value("document.querySelectorAll('.card .interval').length") == 2
        assert "12 of 12" in numbers(page, "fit")
        assert numbers(page, "fit") != before[0]
        assert "2 of 2 claims decided" in page.value("document.querySelector('[aria-live]').textContent")
        sound(page)
        pictured(page, "finished")
        page.value("location.hash = ''")
        page.wait("document.querySelectorAll('#ended li').length === 1")
        sound(page)
        pictured(page, "list")
        assert page.value("window.mark") == "kept", "all of it without a reload"
        page.value("document.querySelector('#ended a').click()")
        page.wait("document.querySelector('.card') !== null && document.body.dataset.drawn === '1'")
        assert page.value("document.title") == "Something to be watched"
        assert page.value("origin") == "null", "the report is apart from the live page"
        assert page.said == []
        assert page.dialogs == []
        assert {
            re.sub(r"^(http://[^/]+/).*", r"\1", one) for one in page.asked if one.startswith("http")
        } == {address.rpartition("/")[0].rpartition("/")[0] + "/"}


def test_hostile_runs_are_text(tmp_path: Path) -> None:
    hostile = f"{ATTACK}{{{{7*7}}}}${{7*7}}"
    claim = {
        "name": hostile, "outcome": "supported", "estimate": hostile, "facts": [hostile], "why": hostile,
        "summary": hostile, "line": None, "warnings": [hostile],
    }  # fmt: skip
    node = {
        "name": hostile, "detail": hostile, "foot": "", "state": "planned", "x": 12, "y": 12, "tip": hostile,
        "key": "fit",
    }  # fmt: skip
    training = {
        "id": 1, "steps": [hostile], "where": hostile, "members": 1, "active": 1, "state": "running", "share": 0.5,
        "rate": 3.0, "points": [[1, 2.0, 1.0, 3.0], [2, 1.0, 0.5, 2.0]],
    }  # fmt: skip
    plan = {
        "name": hostile, "title": hostile, "about": hostile, "text": hostile, "path": hostile, "host": hostile,
        "command": [hostile], "claims": [[hostile, hostile, hostile]], "warnings": [hostile],
        "graph": {"nodes": [node], "edges": ["M0 0"], "width": 200, "height": 100},
    }  # fmt: skip
    name = "x'\"><img src=x onerror=alert(1)>"
    kept(
        tmp_path,
        name,
        plan=plan,
        stage=hostile,
        claims=[claim],
        trainings=[training],
        waiting=[hostile],
        message=hostile,
    )
    with serving(tmp_path) as address, tab() as page:
        page.open(address)
        page.wait("document.querySelectorAll('#going li').length === 1")
        page.value("document.querySelector('#going a').click()")
        page.wait("document.querySelectorAll('.stack').length === 1")
        assert page.value("document.querySelectorAll('img, main script').length") == 0
        assert page.value("document.body.innerText").count("onerror") > 10
        assert page.value("document.title") == hostile
        assert "its process is gone" in page.value("document.body.innerText")
        assert page.said == []
        assert page.dialogs == []
        assert all(json.dumps(one).find("src=x") < 0 for one in page.asked if not one.startswith(address))


def test_no_other_page_reads_it(tmp_path: Path) -> None:
    """A page of another origin that knows even the token gets neither an answer nor a frame."""
    kept(tmp_path / "store", "tiny-abc")
    with serving(tmp_path / "store") as address, tab() as page:
        other = tmp_path / "other.html"
        other.write_text(f'<iframe src="{address}"></iframe>')
        page.open(other)
        tried = f"fetch('{address}api/runs').then((a) => a.text()).then(() => 'read', () => 'refused')"
        assert page.value(tried) == "refused"
        assert any("frame-ancestors" in said for said in page.said)
