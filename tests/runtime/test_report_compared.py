"""Runs side by side: fields, verdicts, results; figures exported without a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gendsl.spec import Number
from gendsl_runtime.archive import save
from gendsl_runtime.cli import main
from gendsl_runtime.report.compared import comparison_page
from gendsl_runtime.report.comparison import compare
from gendsl_runtime.results import Results
from tests.runtime.reported import PLOTS, results, specification, verdict, verdicts

HOSTILE = "</script><img src=x onerror=alert(1)>"


def changed() -> Results:
    """Another learning rate, another verdict, one seed less, one claim and one figure fewer."""
    steps = specification().steps
    fit = steps["fit"]
    sgd = fit.arguments["optimizer"].model_copy(update={"arguments": {"lr": Number(value=0.3)}})
    other = fit.model_copy(update={"arguments": {**fit.arguments, "optimizer": sgd}})
    found = results(steps={**steps, "fit": other}, plots=PLOTS[1:], text="# only a comment\n")
    datasets = dict(found.datasets)
    datasets["gap"] = datasets["gap"].isel(seed=slice(0, 3)).copy()
    datasets["gap"]["error"] = datasets["gap"]["error"] + 0.1
    said = (verdict("fits", "refuted"), *verdicts()[1:2])
    return replace(found, datasets=datasets, verdicts=said)


def test_fields_differ_and_formatting_does_not() -> None:
    found = compare(["a", "b"], [results(), changed()])
    assert [(field.path, field.values) for field in found.fields] == [
        ("fit.optimizer.lr", ("0.1", "0.3")),
        ("plot by_width", (found.fields[1].values[0], "-")),
    ]
    assert compare(["a", "b"], [results(), results(text="# other")]).fields == ()


def test_surroundings_are_a_part_of_their_own() -> None:
    first = results()
    assert first.record is not None
    record = replace(first.record, device="cuda", versions={"python": "3.13.1"})
    found = compare(["a", "b"], [first, replace(first, record=record)])
    assert {(field.part, field.path) for field in found.fields} == {
        ("Environment", name) for name in ("device", "python", "torch")
    }


def test_verdicts_that_changed_or_are_not_stated() -> None:
    found = compare(["a", "b"], [results(), changed()])
    assert [(claim.name, claim.is_changed) for claim in found.claims] == [
        ("fits", True),
        ("wider_is_better", False),
        ("open", True),
    ]
    assert found.claims[2].cards[1] is None


def test_means_are_over_shared_coordinates() -> None:
    known = {row.name: row for row in compare(["a", "b"], [results(), changed()]).measured}
    shared = results()["gap"]["error"].isel(seed=slice(0, 3))
    assert known["gap.error"].means[0] == f"{100 * float(shared.mean()):.4g}%"
    assert known["gap.error"].change == "+10 points"
    assert known["gap.error"].note == "18 shared of up to 24, 3 seeds"
    assert known["vol.log_volume"].change == ""
    assert "curve.train_error" not in known, "a quantity with an axis of its own is no number"


def test_the_page_escapes_and_shows_both() -> None:
    hostile = results(title=HOSTILE, preset=HOSTILE)
    page = comparison_page(compare(["a", HOSTILE], [results(), hostile]))
    assert "<img" not in page.partition("\n<script>")[0], (
        "before the libraries, which hold such text themselves"
    )
    assert "&lt;img" in page
    assert page.count("data-figure=") == 2 * len(PLOTS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name, found in (("small-001", results()), ("small-002", changed())):
        save(found, tmp_path / "store" / "runs" / name)
    return tmp_path / "store"


def test_gen_compare(store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    command = ["compare", "small-001", "small", "--store", str(store), "--output", str(page)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "fit.optimizer.lr" in said
    assert "fits  changed" in said
    assert f"comparison: {page}" in said
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_one_run_is_no_comparison(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "small", "small-002", "--store", str(store)]) == 2
    assert "two different runs" in capsys.readouterr().err


def test_gen_export(store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["export", "small-001"]
    place = ["--store", str(store), "--output"]
    assert main([*command, "bars", *place, str(tmp_path / "f.svg")]) == 0
    assert (tmp_path / "f.svg").read_bytes().startswith(b"<svg")
    formats = ["--format", "json", "--format", "png", "--format", "pdf"]
    assert main([*command, "bars", "map", *formats, *place, str(tmp_path / "all")]) == 0
    assert len(list((tmp_path / "all").iterdir())) == 6
    assert (tmp_path / "all" / "bars.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "all" / "map.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "all" / "map.json").read_text())["mark"]["type"] == "rect"
    assert len(capsys.readouterr().out.split()) == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bar"], "there is no plot `bar`"),
        (["bars", "map", "--output", "x.svg"], "is one file"),
        (["bars", "--format", "pdf", "--output", "x.svg"], "is one file"),
        (["bars", "--scale", "9"], "at most 8"),
    ],
)
def test_gen_export_refuses(
    arguments: list[str], said: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "small-001", *arguments, "--store", str(store)]) == 2
    assert said in capsys.readouterr().err


def test_intervals_of_a_claim_share_one_scale() -> None:
    """The threshold lies at one place in all runs, also where one interval is far wider."""
    wide = replace(changed(), verdicts=(replace(verdicts()[1], low=-9.0),))
    found = next(
        one for one in compare(["a", "b"], [results(), wide]).claims if one.name == "wider_is_better"
    )
    first, second = (card.line for card in found.cards if card is not None)
    assert first is not None and second is not None and found.is_aligned
    assert first.threshold == second.threshold
    assert first.centre == second.centre
    assert first.low > second.low


def test_claims_differ_by_words_and_not_by_lines() -> None:
    first = results()
    claims = tuple(one.model_copy(update={"text": f"{one.text}\n    "}) for one in first.spec.claims)
    assert compare(["a", "b"], [first, results(claims=claims)]).fields == ()


def test_means_leave_out_what_failed_in_any_run_and_do_not_depend_on_memory() -> None:
    first, second = results(), results()
    gap = second.datasets["gap"].copy(deep=True)
    gap["error"] = gap["error"].transpose().copy()
    gap["error"].values.flat[0] = float("nan")
    found = compare(["a", "b"], [first, replace(second, datasets={**second.datasets, "gap": gap})])
    row = next(row for row in found.measured if row.name == "gap.error")
    assert row.means[0] == row.means[1]
    assert row.note.startswith("22 shared of up to 24"), "one of the data had no value before"
