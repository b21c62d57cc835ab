"""`gen gallery`: every experiment on one page, faults as such, nothing computed twice, nothing of the user's lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from gendsl_runtime import shipped as module
from gendsl_runtime.cli import main
from gendsl_runtime.report.picture import still

SPEC = """
experiment NAME {
    title = "Wide <b>nets</b> & narrow"
    about = "They differ. Much more is said below."
}

seeds 0..1
sweep width in [2, 4]

dataset points = two_moons(train=20, test=20)
model net = mlp(hidden=[width])

train fit {
    model = net
    dataset = points
    optimizer = sgd(lr=0.1)
    batch = 10
    budget = 2 epochs
}

analysis gap = generalization_gap(fit)

claim wide_wins: lowest(gap.train_accuracy) >= 0%

plot second = line(x=width, y=gap.error)

preset smoke {
    fit.budget = 1 epochs
}
"""
DIVERGING = SPEC.replace("sgd(lr=0.1)", "sgd(lr=1e30, momentum=0.9)")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder; one good spec comes with GenDSL."""
    specs = tmp_path / "shipped" / "a"
    specs.mkdir(parents=True)
    (specs / "good.gen").write_text(SPEC.replace("NAME", "good"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(module, "resource", lambda *parts: tmp_path / "shipped")
    return work


def page() -> str:
    return Path("gallery/index.html").read_text("utf-8")


def test_the_page_its_reports_and_a_second_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "--preset", "smoke"]) == 0
    said = capsys.readouterr()
    assert "1 experiment: 1 undecided" in said.out
    assert "[1/1] a/good" in said.err and "4 trainings" in said.err
    assert sorted(path.name for path in Path("gallery/a/good").iterdir()) == [
        *("figures", "gap.parquet", "good.lock", "report.html", "results.json", "spec.gen"),
    ]
    first = page()
    assert "Wide &lt;b&gt;nets&lt;/b&gt; &amp; narrow" in first and "<b>nets" not in first
    assert 'href="a/good/report.html"' in first and "They differ." in first and "Much more" not in first
    assert "2 seeds · 4 trainings" in first and "preset smoke" in first
    assert "<svg" in first and "aria-label=" not in first.partition("<svg")[2].partition("</svg>")[0]
    kept = Path("gallery/a/good/report.html").stat().st_mtime_ns

    assert main(["gallery", "--preset", "smoke"]) == 0
    assert "trainings" not in capsys.readouterr().err, "nothing is planned, nothing is run"
    assert page() == first
    assert Path("gallery/a/good/report.html").stat().st_mtime_ns == kept
    assert json.loads(Path("gallery/a/good/results.json").read_text())["spec"]["preset"] == "smoke"


def test_faults_are_shown_and_the_others_go_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "wrong.gen").write_text("modle net = mlp()\n")
    (here / "lost.gen").write_text(DIVERGING.replace("NAME", "lost"))
    names = ["wrong.gen", "lost.gen", "good"]
    assert main(["gallery", *(part for name in names for part in ("--only", name))]) == 3
    said = capsys.readouterr()
    assert "failed: wrong, lost" in said.out and "did you mean `model`" in said.err
    text = page()
    assert "1 of 3 could not be run" in text and "did you mean `model`" in text
    assert "results missing" in text
    assert text.index('id="wrong"') < text.index('id="lost"') < text.index('id="a-good"')
    assert not Path("gallery/wrong").exists() and Path("gallery/lost/report.html").exists()


def test_an_unexpected_error_is_shown_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*rest: object) -> None:
        raise RuntimeError("the <engine> is out")

    monkeypatch.setattr("gendsl_runtime.run.run", fail)
    assert main(["gallery"]) == 3
    assert "RuntimeError: the &lt;engine&gt; is out" in page()


def test_a_page_of_another_kind_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "index.html").write_text("mine")
    assert main(["gallery", "--output", "."]) == 2
    assert (here / "index.html").read_text() == "mine" and not (here / ".gendsl").exists()
    assert "a page of another kind" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("only", "told"),
    [
        ("godo", "did you mean `good`?"),
        ("x.gen", "there is no file x.gen, and no spec called `x.gen` comes with GenDSL; there are: good"),
    ],
)
def test_unknown_names(only: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", "--only", only]) == 2
    assert told in capsys.readouterr().err and not Path("gallery").exists()


def test_pictures_are_shapes_alone() -> None:
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
        '<rect width="9" height="9" fill="white"/><script>alert(1)</script><foreignObject><p/></foreignObject>'
        '<g onclick="alert(1)" clip-path="url(#c0)" role="x"><a href="javascript:1"><path d="M0"/></a>'
        '<image xlink:href="http://evil/x.png"/><image href="data:image/png;base64,AA=="/>'
        '<text aria-label="x">a &lt;b&gt; &amp; c</text></g><defs><clipPath id="c0"/></defs></svg>'
    )
    assert still(text, key="k") == (
        '<svg viewBox="0 0 9 9" class="" focusable="false"><g clip-path="url(#k-c0)"><image></image>'
        '<image href="data:image/png;base64,AA=="></image><text>a &lt;b&gt; &amp; c</text></g>'
        '<defs><clipPath id="k-c0"></clipPath></defs></svg>'
    )
    for wrong in ("<p/>", "<svg", '<!DOCTYPE svg [<!ENTITY a "b">]><svg/>'):
        with pytest.raises(ValueError):
            still(wrong, key="k")


@pytest.mark.parametrize("name", ["..", ".", "index.html"])
def test_files_whose_names_would_lead_out_of_the_gallery(name: str, here: Path, capsys) -> None:
    (here / f"{name}.gen").write_text(SPEC.replace("NAME", "good"))
    assert main(["gallery", "--only", f"{name}.gen", "--output", "in/it"]) == 2
    assert "no name that a folder" in capsys.readouterr().err and not Path("in").exists()


def test_links_lead_to_reports_whatever_files_are_called(here: Path) -> None:
    """Names are no part of an address by themselves: neither a scheme nor an anchor nor markup."""
    (here / "javascript:a#b?c%41<i>.gen").write_text(SPEC.replace("NAME", "good"))
    assert main(["gallery", "--preset", "smoke", "--only", "javascript:a#b?c%41<i>.gen"]) == 0
    links = [link for link in re.findall('href="([^"]*)"', page()) if "report.html" in link]
    assert links and set(links) == {"javascript%3Aa%23b%3Fc%2541%3Ci%3E/report.html"}
    assert Path("gallery", unquote(links[0])).is_file()
    assert "<i>" not in page()


def test_where_nothing_can_be_written_nothing_is_run(here: Path, capsys) -> None:
    (here / "file").write_text("mine")
    assert main(["gallery", "--output", "file/in"]) == 2
    said = capsys.readouterr().err
    assert "file/in cannot be written to: not a directory; give another --output" in said
    assert "[1/1]" not in said


def test_an_installation_without_specs(here: Path, capsys) -> None:
    (here.parent / "shipped" / "a" / "good.gen").unlink()
    assert main(["gallery"]) == 2
    assert "--only FILE.gen" in capsys.readouterr().err and not Path("gallery").exists()
