"""Runs in Python and in notebooks: what `gendsl.run` returns, how it is shown, and the cell magic."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import altair as alt
import pytest
import xarray as xr

import gendsl
from gendsl_runtime.report.notebook import cell
from tests.runtime.reported import PLOTS, results

TEXT = """\
experiment cellular { title = "A cell <b>bold</b>" }
seeds 0..1
dataset digits = sklearn_digits(train=200, test=100, seed=seed)
train fit {
    model = mlp(hidden=[8])
    dataset = digits
    optimizer = sgd(lr=0.1)
    batch = 50
    budget = 2 epochs
}
analysis gap = generalization_gap(fit)
claim it_errs: lowest(gap.error) >= 0%
plot errors = scatter(x=gap.train_accuracy, y=gap.error)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def run(store: Path):
    return gendsl.run(TEXT, store=store)


def test_a_text_runs_and_gives_data_frames_charts_and_claims(run, store: Path) -> None:
    assert isinstance(run["gap"], xr.Dataset)
    frame = run.to_dataframe("gap")
    assert list(frame["seed"]) == [0, 1]
    assert {"error", "train_accuracy"} <= set(frame)
    assert [(claim["name"], claim["outcome"]) for claim in run.claims] == [("it_errs", "undecided")]
    assert isinstance(run.figures["errors"], alt.TopLevelMixin)
    assert (run.folder / "report.html").is_file()
    again = gendsl.load("cellular", store=store)
    assert again["gap"].equals(run["gap"])
    assert repr(again) == "<run cellular-001: it_errs undecided; analyses gap>"


def test_a_run_is_shown_whole_escaped_and_without_scripts(run) -> None:
    shown = run._repr_html_()
    assert "A cell &lt;b&gt;bold&lt;/b&gt;" in shown
    assert "<script" not in shown
    assert "http" not in shown
    assert shown.count("<img ") == 1


def test_every_kind_of_figure_is_a_picture_in_a_notebook() -> None:
    shown = cell(results())
    assert shown.count("data:image/svg+xml;base64,") == len(PLOTS)
    body = shown.replace("<img ", "<i ").partition("<h3")
    assert "could not be drawn" not in body[2]
    hostile = cell(results(title="</style><script>alert(1)</script>"))
    assert "<script" not in hostile
    ET.fromstring(cell(results(plots=())))


@pytest.fixture
def shell():
    testing = pytest.importorskip("IPython.core.interactiveshell")
    testing.InteractiveShell.clear_instance()
    made = testing.InteractiveShell.instance()
    made.run_line_magic("load_ext", "gendsl")
    yield made
    testing.InteractiveShell.clear_instance()


def test_the_magic_runs_a_cell_and_names_it(shell, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = shell.run_cell_magic("gen", f"mine --store {store} --seeds 0..2 --set fit.batch=25", TEXT)
    assert found is shell.user_ns["mine"]
    assert found["gap"].sizes["seed"] == 3
    assert "\033" not in "".join(capsys.readouterr())


def test_the_magic_shows_diagnostics_and_no_traceback(
    shell, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from IPython.utils.capture import capture_output

    with capture_output() as said:
        assert shell.run_cell_magic("gen", f"--store {store}", TEXT.replace("sgd(", "sdg(")) is None
    html = "".join(output.data.get("text/html", "") for output in said.outputs)
    assert "<pre" in html
    assert "sdg" in html
    assert "did you mean" in html.lower() or "sgd" in html
    assert "Traceback" not in html + said.stdout + said.stderr
    assert "\033" not in html
