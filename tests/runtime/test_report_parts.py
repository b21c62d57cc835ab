"""What the report is made of: numbers, places of the graph, finding runs, the terminal."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gendsl.spec import Coordinate, Number, Operation, Quantity, Statistic, Value
from gendsl_runtime.archive import save
from gendsl_runtime.chart.interval import mean_interval, within
from gendsl_runtime.cli import main, show
from gendsl_runtime.report.cards import cards
from gendsl_runtime.report.figure import worded
from gendsl_runtime.report.graph import graph
from gendsl_runtime.report.layers import depths, layers, route
from gendsl_runtime.report.render import sentences
from gendsl_runtime.report.shares import share_kind
from gendsl_runtime.report.words import condition, duration, number, title
from gendsl_runtime.saved import UnknownRunError, run_folder
from tests.runtime.reported import CURVE, ERROR, results, where


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Acyclic: each node uses some of those before it."""
    size = draw(st.integers(0, 12))
    return {str(node): [str(source) for source in range(node) if draw(st.booleans())] for node in range(size)}


@given(graphs())
def test_every_edge_goes_to_the_right_and_every_point_has_one_place(inputs: dict[str, list[str]]) -> None:
    columns = layers(inputs)
    depth = depths(columns)
    points = [point for column in columns for point in column]
    assert len(points) == len(set(points))
    assert depth.keys() == inputs.keys()
    for target, sources in inputs.items():
        for source in sources:
            assert depth[source] < depth[target]
            assert all(
                point in columns[depth[source] + k] for k, point in enumerate(route(source, target, depth))
            )


def test_the_graph_shows_each_declaration_with_its_state() -> None:
    found = {node.name: node for node in graph(results()).nodes}
    assert found["digits"].state == "cached"
    assert found["fit"].state == "failed"
    assert found["vol"].state == "computed"
    assert (found["fits"].state, found["fits"].detail) == ("claim", "supported")
    assert found["cloud"].state == "figure"
    assert found["digits"].x < found["noisy"].x < found["fit"].x < found["gap"].x < found["cloud"].x
    boxes = {(node.x, node.y) for node in found.values()}
    assert len(boxes) == len(found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (-2.0, "−2"),
        (1.5e-7, "1.5e−7"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (1e6, "1e6"),
        (148_612.0, "148,600"),
        (-10_000.4, "−10,000"),
        (9999.6, "10,000"),
        (999_990.0, "1e6"),
        (1234.4, "1234"),
    ],
)
def test_numbers_are_short_and_typeset(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "40 ms"), (59.94, "59.9 s"), (61, "1 min 01 s"), (7500, "2 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_titles_say_what_is_drawn_and_notes_where() -> None:
    spec = results().spec
    assert title(CURVE, spec) == "curve train error"
    assert title(where(ERROR, noise=1), spec) == "gap error"
    assert (
        title(Quantity(step="vol", name="log_volume", unit="nats"), spec, let="the_room") == "the room (nats)"
    )
    assert condition(where(ERROR, noise=1, seed=0), spec) == "noise is 20%, seed is 0"
    # Along an analysis' own axes a name says what is shown, a number where.
    picked = where(ERROR).model_copy(update={"picked": {"measure": "path_norm", "epoch": 8.0}})
    assert title(picked, spec) == "gap error, path norm"
    assert condition(picked, spec) == "epoch is 8"


def test_an_interval_lies_where_its_numbers_are() -> None:
    fits, wider, open_ = cards(results().spec, results().verdicts)
    assert fits.line is not None
    assert fits.line.labels[0] == "99%"
    assert fits.line.side == "above"
    assert fits.line.centre > fits.line.threshold
    assert wider.line is not None
    assert wider.line.low < wider.line.centre < wider.line.high < wider.line.threshold
    assert len(wider.rows) == 2
    assert open_.line is not None
    assert open_.line.is_open_low
    assert open_.line.low == 0
    assert open_.why == "one seed says nothing about others"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for place, name in enumerate(("small-001", "small-002", "other-001")):
        folder = tmp_path / "runs" / name
        save(results(), folder)
        os.utime(folder / "results.json", (place, place))
    (tmp_path / "runs" / ".small-003").mkdir()
    return tmp_path


def test_runs_are_found_by_name_experiment_spec_and_path(store: Path, tmp_path: Path) -> None:
    runs = store / "runs"
    spec = tmp_path / "anything.gen"
    spec.write_text('experiment small { title = "x" }')
    assert run_folder("small-001", store) == runs / "small-001"
    assert run_folder("small", store) == runs / "small-002"
    assert run_folder(spec, store) == runs / "small-002"
    assert run_folder(runs / "other-001") == runs / "other-001"
    assert run_folder(runs / "other-001" / "results.json") == runs / "other-001"


def test_an_unknown_run_gets_a_suggestion(store: Path) -> None:
    with pytest.raises(UnknownRunError, match="did you mean `small`"):
        run_folder("smal", store)
    with pytest.raises(UnknownRunError, match="the latest are small-001, small-002, other-001"):
        run_folder("qqqqqqq", store)
    with pytest.raises(UnknownRunError, match="holds no runs yet"):
        run_folder("small", store / "nowhere")


def test_gen_report_makes_the_page_anew(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "small", "--store", str(store)]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page == store / "runs" / "small-002" / "report.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (page.parent / "figures" / "cloud.pdf").is_file()


def test_an_unknown_run_is_a_wrong_command_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "qqqqqqq", "--store", str(store)]) == 2
    assert main(["show", "small", "nothing", "--store", str(store)]) == 2
    assert "there is no analysis `nothing`" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [40, 60, 100, 200])
def test_gen_show_fits_the_terminal(
    store: Path, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["show", "small", "--store", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    for words in ("wider_is_better", "refuted", "diverged", "train_accuracy", "log_volume (nats)"):
        assert words in text
    assert "\033" not in text


def test_gen_show_of_everything_has_every_seed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = argparse.ArgumentParser()
    show.add(arguments)
    assert show.main(arguments.parse_args(["small", "gap", "--all", "--store", str(store)])) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^ +(?:4|16|64)  \d+%", out, re.MULTILINE)) == 24
    assert "basin_volume" not in out


def test_import_gendsl_is_light_and_loads_runs(store: Path) -> None:
    code = (
        "import sys, gendsl\n"
        "heavy = {'torch', 'numpy', 'xarray', 'gendsl_runtime', 'pydantic', 'lark'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "assert {'load', 'run'} <= set(dir(gendsl))\n"
        f"r = gendsl.load('small', store={str(store)!r})\n"
        "assert r['gap'].error.dims == ('width', 'noise', 'seed')\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (ERROR, "share"),
        (where(ERROR, noise=1), "share"),
        (Statistic(name="mean", version=1, values=(ERROR,), over=("seed",)), "share"),
        (Statistic(name="std", version=1, values=(ERROR,), over=("seed",)), "points"),
        (Statistic(name="ratio", version=1, values=(ERROR, ERROR), over=("seed",)), ""),
        (Operation(op="-", operands=(Number(value=1.0), ERROR)), "share"),
        (Operation(op="-", operands=(ERROR, ERROR)), "points"),
        (Operation(op="*", operands=(ERROR, ERROR)), ""),
        (Operation(op="*", operands=(Number(value=4.0), ERROR)), "points"),
        (Operation(op="*", operands=(ERROR, Number(value=0.5))), "points"),
        (Operation(op="/", operands=(ERROR, Number(value=2.0))), "points"),
        (Operation(op="/", operands=(Number(value=2.0), ERROR)), ""),
        (Coordinate(axis="noise"), "share"),
        (Coordinate(axis="width"), ""),
        (Quantity(step="vol", name="log_volume"), ""),
    ],
)
def test_shares_are_known_by_the_analyses_and_by_what_takes_them(value: Value, kind: str) -> None:
    assert share_kind(value, results().spec) == kind


def test_the_interval_of_a_share_is_not_drawn_beyond_0_and_1() -> None:
    values = xr.DataArray([[0.0, 0.01, 0.2], [0.5, 0.6, 0.7]], dims=("width", "seed"))
    raw = mean_interval(values, over="seed", level=0.95)
    assert raw.low.values[0] < 0
    cut, note = within(raw, "share")
    assert cut.low.values[0] == 0
    assert cut.low.values[1] == raw.low.values[1]
    assert note == " Cut at 0% and 100%."
    assert within(raw, "points") == (raw, "")


def test_what_an_experiment_is_about_keeps_its_paragraphs() -> None:
    lead, rest = sentences("  One thing. And\n another.\n\n  Of which\n more.\n   \n Last. ")
    assert (lead, rest) == ("One thing.", ("And another.", "Of which more.", "Last."))
    assert sentences("Only this.") == ("Only this.", ())
    assert sentences("") == ("", ())


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (["small.test", "most_of_all.test"], ["small", "most of all"]),
        (["small.test", "small.train"], ["small.test", "small.train"]),
        (["small.test", "small"], ["small.test", "small"]),
        (["sgd_to_the_end", "blind"], ["sgd to the end", "blind"]),
        (["a_b", "a b"], ["a_b", "a b"]),
        (["small.test"], ["small.test"]),
        (["0.5", "1.5"], ["0.5", "1.5"]),
        (["true", "false"], ["true", "false"]),
        (["a.test", "b.test", "a.test"], ["a", "b", "a"]),
    ],
)
def test_names_are_words_in_legends(labels: list[str], shown: list[str]) -> None:
    assert worded(labels) == shown
