"""What a hostile or unlucky user types: a message and the right exit code, never a traceback, nothing half-done."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import gendsl
from gendsl import catalogue
from gendsl_runtime.cli import COMMANDS, main
from gendsl_runtime.problem import Problem

SPEC = """
param width = 4 in 2..8
param length = 2 epochs in 1..5 epochs
seeds 0..4
sweep lr in [0.1, 0.2]
dataset moons = two_moons(train=40, test=40, noise=0.2, seed=seed)
model net = mlp(hidden=[width])
train fit {
    model = net
    dataset = moons
    optimizer = sgd(lr=lr)
    batch = 10
    budget = length
    stop = train_error == 0%
}
analysis gap = generalization_gap(fit)
analysis early = accuracy(fit.at(epoch=[0, 1]))
claim learns: mean(gap.train_accuracy where lr == 0.1) > mean(gap.train_accuracy where lr == 0.2)
plot curve = line(x=lr, y=gap.error)
preset smoke { width = 3 }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENDSL_STORE", raising=False)
    (tmp_path / "t.gen").write_text(SPEC)
    return tmp_path


def gen(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Exit code and everything said; never a traceback or an internal error."""
    capsys.readouterr()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            code = main([str(word) for word in words])
        except SystemExit as left:
            code = int(left.code or 0)
    found = capsys.readouterr()
    said = found.out + found.err
    assert code in (0, 1, 2, 3, 4), said
    assert "Traceback" not in said and "internal error" not in said
    assert [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)] == []
    return code, said


TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "nothing-declared"),
    "blank": (b"  \n\t\n", "nothing-declared"),
    "comments": (b"# a\n# b", "nothing-declared"),
    "mark_of_byte_order": (b"\xef\xbb\xbf", "nothing-declared"),
    "binary": (bytes(range(256)), "not-text"),
    "utf_16": ("seeds 0..3".encode("utf-16"), "not-text"),
    "zero_byte": (b"seeds 0..3\0", "not-text"),
    "latin_1": (b"# \xe9", "not-text"),
    "fifty_megabytes": (b"# x\n" * 12_500_000, "too-large"),
    "open_text": (b'let x = "abc', "unclosed-text"),
    "open_long_text": (b'"""abc', "unclosed-text"),
    "open_escape": (b'let x = "\\', "unclosed-text"),
    "open_brace": (b"train fit {", "unclosed-bracket"),
    "open_bracket": (b"sweep a in [1, 2", "unclosed-bracket"),
    "open_parenthesis": (b"dataset d = two_moons(", "unclosed-bracket"),
    "ten_thousand_brackets": (b"let x = " + b"[" * 10_000 + b"]" * 10_000, "too-deep"),
    "ten_thousand_open": (b"let x = " + b"(" * 10_000, "too-deep"),
    "ten_thousand_signs": (b"let x = " + b"-" * 10_000 + b"1", "too-deep"),
    "ten_thousand_powers": (b"let x = " + b"2**" * 10_000 + b"2", "too-deep"),
    "twenty_thousand_terms": (b"let x = " + b"1+" * 20_000 + b"1", "too-deep"),
    "twenty_thousand_dots": (b"let x = a" + b".a" * 20_000, "too-deep"),
    "infinite_number": (b"param x = 1e999", "bad-number"),
    "ten_thousand_digits": (b"let x = " + b"9" * 10_000, "bad-number"),
    "control_character": (b"let x = \x1b[31m", "illegal-character"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_are_no_specs(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, code = TEXTS[name]
    Path("bad.gen").write_bytes(content)
    for command in (["validate", "bad.gen"], ["plan", "bad.gen"], ["run", "bad.gen", "--store", "st"]):
        found, said = gen(capsys, *command)
        assert found == 1 and f"[{code}]" in said
    found, _ = gen(capsys, "fmt", "bad.gen")
    assert found == (0 if code == "nothing-declared" else 1)
    assert found == 0 or Path("bad.gen").read_bytes() == content
    assert sorted(path.name for path in here.iterdir()) == ["bad.gen", "t.gen"]


@pytest.mark.parametrize("path", ["absent.gen", "", ".", "t.gen/x", "a" * 5000, "a\0b", "n\udce9.gen"])
def test_paths_that_are_no_files(path: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("validate", "plan", "run", "fmt"):
        assert gen(capsys, command, path)[0] == 1
    assert [file.name for file in here.iterdir()] == ["t.gen"]


def test_pipes_do_not_hang(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.gen")
    os.mkfifo("pipe.csv")
    for command in ("validate", "run", "fmt"):
        code, said = gen(capsys, command, "pipe.gen")
        assert code == 1 and ("nothing-declared" in said or "unwritable-file" in said)
    Path("c.gen").write_text('dataset d = csv("pipe.csv", target="y")')
    assert "a pipe or a device" in gen(capsys, "run", "c.gen")[1]


def test_a_cache_that_is_no_file_is_left_alone(here: Path) -> None:
    os.mkfifo("cache")
    catalogue._save(Path("cache"), {})
    assert Path("cache").is_fifo() and len(list(here.iterdir())) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_unreadable_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gen").chmod(0)
    assert gen(capsys, "run", "t.gen")[0] == 1
    Path("locked").mkdir(mode=0)
    assert gen(capsys, "run", "locked/t.gen")[0] == 1


SETTINGS = """nope=3; fit.nope=3; fit=3; width; width=; width=abc; width="a"; width=100; width=4.5; width=((; =3;
width=3 epochs; length=3; length=9 epochs; length=3 cats; gap=1; moons.train=0; moons.train=-1; fit..batch=3;
fit.=3; .=2; fit.optimizer.lr=nan; fit.optimizer.lr=-1; fit.batch=0; width=3 let x = 4; width=$(ls); a b=3;
width=1e999; width=1/0; width=[1, 2]; nope.deep.er=1; seed=3; moons=3; fit.budget=0 epochs"""


@pytest.mark.parametrize("setting", SETTINGS.replace("\n", " ").split("; "))
def test_settings_that_make_no_sense(setting: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = gen(capsys, "run", "t.gen", "--store", "st", "--set", setting)
    assert code == 2 and "``" not in said
    assert not Path("st").exists()


WORDS = """--preset nope|--preset |--seeds abc|--seeds |--seeds 5..1|--seeds 0..|--seeds 1.5|--seeds 3|--seeds []|
--seeds [1, 1]|--seeds 0..1e6|--seeds 0..99999999999999999999|--seeds 0..9 by 0|--seeds none|
--seeds [99999999999999999999]|--seeds -3..-1|
--only nope|--only |--only width|--max-runs 0|--max-runs -1|--max-runs x|--workers 0|--workers -3|--workers 1.5|
--device tpu|--store |--store t.gen|--store t.gen/x/y|--nonsense 1"""


@pytest.mark.parametrize("words", WORDS.replace("\n", "").split("|"))
def test_command_lines_that_make_no_sense(words: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    option, _, value = words.partition(" ")
    store = [] if option == "--store" else ["--store", "st"]
    code, said = gen(capsys, "run", "t.gen", *store, option, value)
    assert code == (3 if value.endswith("/x/y") else 2) and said.count("\n") < 30
    assert [file.name for file in here.iterdir()] == ["t.gen"]


WRONG = {
    "three_dimensional_net_for_points": ("mlp(hidden=[width])", "cnn()", "wrong-shape"),
    "same_label_twice": ("[0.1, 0.2]", "[10%, 0.1]", "duplicate-label"),
    "division_by_an_axis": ("sgd(lr=lr)", "sgd(lr=1/(lr - 0.1))", "no-such-number"),
    "no_test_set": ("test=40", "test=0", "unknown-split"),
    "no_budget": ("budget = length", "budget = 0 epochs", "out-of-range"),
    "billions": ("hidden=[width]", "hidden=[a, b, c]", "plan-too-large"),
}


@pytest.mark.parametrize("case", WRONG)
def test_experiments_that_cannot_be(case: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, code = WRONG[case]
    more = "".join(f"\nsweep {axis} in 1..1000" for axis in "abc" if axis in new)
    Path("t.gen").write_text(SPEC.replace(old, new) + (more if case == "billions" else ""))
    found, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert found == 1 and f"[{code}]" in said
    assert not Path("st").exists()


def test_a_million_seeds_are_refused_with_their_number(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = gen(capsys, "run", "t.gen", "--seeds", "0..9999999999")
    assert code == 2 and "10,000,000,000" in said


DIVERGING = SPEC.replace("[0.1, 0.2]", "[0.1, 1e30]").replace("lr == 0.2", "lr == 1e30")


def test_some_members_diverge_and_the_others_go_on(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gen").write_text(DIVERGING)
    code, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert code == 3 and "5 of 10 failed" in said and "undecided" in said
    assert "5 of 5 seeds are left out" in said
    assert gen(capsys, "show", "t", "--store", "st")[0] == 0
    assert gen(capsys, "report", "t", "--store", "st")[0] == 0
    gap = gendsl.load("t", store="st")["gap"].gap
    assert gap.isnull().sum() == 5


def test_all_members_diverge(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gen").write_text(DIVERGING.replace("0.1", "1e29"))
    code, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert code == 3 and "10 of 10 failed" in said and "no estimate" in said


def test_infinite_volumes_decide_nothing_and_warn_of_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = """
analysis vol = basin_volume(fit, rays=3, cutoff=0.65)
claim smaller: mean(vol.log_volume where lr == 0.1) < mean(vol.log_volume where lr == 0.2)
claim related: spearman(vol.log_volume, gap.gap, over=[lr, seed]) > 0
claim straight: pearson(vol.log_volume, gap.gap, over=[lr, seed]) > 0
claim middle: median(vol.log_volume) > 0
plot spread = histogram(x=vol.log_volume)
plot both = scatter(x=vol.log_volume, y=gap.gap)
plot means = bar(x=lr, y=vol.log_volume)
"""
    Path("t.gen").write_text(SPEC + more)
    code, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert code == 0 and "infinite" in said
    assert gen(capsys, "show", "t", "--all", "--store", "st")[0] == 0


def test_more_memory_than_there_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.gen").write_text(SPEC.replace("hidden=[width]", "hidden=[10000000, 10000000]"))
    code, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert code == 3 and "[out-of-memory]" in said


DATA: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "head_alone": (b"a,b,y\n", "no rows"),
    "missing_value": (b"a,b,y\n1,2,x\n,3,z\n", "line 3, column `a`"),
    "wrong_columns": (b"a,b,c\n1,2,x\n", "there is no column `y`"),
    "ragged": (b"a,b,y\n1,2,x\n1,2,x,4\n", "line 3"),
    "binary": (bytes(range(1, 256)), "not UTF-8"),
    "zero_byte": (b"a,b,y\n1,\0,x\n", "zero byte"),
    "infinite": (b"a,b,y\n" + b"1,2,x\n3,4,z\n" * 3 + b"inf,2,x\n", "`inf` is not a number"),
    "one_class": (b"a,b,y\n1,2,x\n3,4,x\n", "same class"),
    "open_quote": (b'a,b,y\n"1,2,x\n3,4,z\n', "line 2"),
}


@pytest.mark.parametrize("name", DATA)
def test_tables_that_are_no_data(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, expected = DATA[name]
    Path("d.csv").write_bytes(content)
    Path("c.gen").write_text('dataset d = csv("d.csv", target="y")')
    code, said = gen(capsys, "run", "c.gen", "--store", "st")
    assert code == 3 and "[bad-data]" in said and expected in said


def test_arrays_that_are_no_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    x, y = np.zeros((4, 2)), np.arange(4) % 2
    np.savez("pickle.npz", x=np.array([{1: 2}] * 4, dtype=object), y=y)
    np.savez("none.npz", x=x[:0], y=y[:0])
    np.savez("lengths.npz", x=x, y=y[:2])
    np.savez("nan.npz", x=x * np.nan, y=y)
    whole = Path("lengths.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    Path("junk.npz").write_bytes(b"abc" * 100)
    for name in ("pickle", "none", "lengths", "nan", "cut", "junk"):
        Path("c.gen").write_text(f'dataset d = npz("{name}.npz")')
        code, said = gen(capsys, "run", "c.gen", "--store", "st")
        assert code == 3 and "[bad-data]" in said, said


@pytest.fixture
def ran(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert gen(capsys, "run", "t.gen", "--store", "st")[0] == 0
    return Path("st/runs/t-001")


def test_damaged_runs(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = shutil.copytree(ran, ran.parent.parent / "kept")
    whole = (ran / "results.json").read_bytes()
    damages: list[tuple[str, bytes | None]] = [
        ("results.json", b""),
        ("results.json", b"[]"),
        ("results.json", bytes(range(256))),
        ("results.json", whole[:1000]),
        ("results.json", whole.replace(b'"kind": "train"', b'"kind": "tran"')),
        ("gap.parquet", None),
        ("gap.parquet", b""),
        ("gap.parquet", bytes(range(256)) * 10),
    ]
    for file, content in damages:
        (ran / file).unlink()
        if content is not None:
            (ran / file).write_bytes(content)
        for command in ("show", "report"):
            code, said = gen(capsys, command, "t-001", "--store", "st")
            assert code == 3 and "[run-damaged]" in said
        with pytest.raises(Problem):
            gendsl.load(ran)
        shutil.copy(kept / file, ran / file)
    (ran / "gap.parquet").write_bytes(b"")
    code, said = gen(capsys, "run", "t.gen", "--store", "st")
    assert code == 0 and "t-002: nothing to compute" in said


def test_runs_and_stores_of_a_newer_version(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    content = json.loads((ran / "results.json").read_text())
    (ran / "results.json").write_text(json.dumps({**content, "format": 99}))
    code, said = gen(capsys, "show", "t", "--store", "st")
    assert code == 3 and "[run-newer]" in said
    sqlite3.connect("st/index.sqlite").execute("PRAGMA user_version = 99")
    for command in ("plan", "run"):
        code, said = gen(capsys, command, "t.gen", "--store", "st")
        assert code == 3 and "[store-newer]" in said


@pytest.mark.parametrize("run", ["nope", "", ".", "t.gen", "../../etc", "/"])
def test_runs_that_are_not_there(run: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "report"):
        code, said = gen(capsys, command, run, "--store", "st")
        assert code == 2 and "no run" in said
    assert not Path("st").exists()


def test_a_narrow_terminal(ran: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    for columns in ("1", "20", "39"):
        monkeypatch.setenv("COLUMNS", columns)
        for words in (["show", "t"], ["report", "t"], ["plan", "t.gen"]):
            assert gen(capsys, *words, "--store", "st")[0] == 0
        assert gen(capsys, "list")[0] == 0


def test_a_terminal_that_knows_only_ascii(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["show", "t", "--store", "st"]) == 0
    sys.stdout.flush()
    assert b"+- half the 95% t interval" in raw.getvalue()


def test_no_color(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for wanted in (True, False):
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert main(["validate", "t.gen", "--set", "nope=1"]) == 2
        assert ("\033[" in sys.stdout.getvalue()) is wanted  # type: ignore[attr-defined]
        monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize(
    ("shell", "code"),
    [("| head -1", 0), (">&-", 0), ("> /dev/full", 3)],
)
def test_output_that_cannot_be_written(shell: str, code: int, here: Path) -> None:
    if "/dev/full" in shell and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    line = f"set -o pipefail; {sys.executable} -c 'from gendsl_runtime.cli import main; exit(main())' list {shell}"
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert found.returncode == code and found.stderr.count("\n") <= 1
    assert "internal" not in found.stderr and "Exception" not in found.stderr


def test_help(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        code, said = gen(capsys, command, "--help")
        assert code == 0 and f"\n  gen {command}" in said
    assert gen(capsys)[0] == 2 and gen(capsys, "nope")[0] == 2
    code, said = gen(capsys, "--version")
    assert code == 0 and said.startswith("gen ")


@pytest.mark.parametrize("name", ["", "1x", "a b", "seeds", "/nope/x", "t", ".gen", "a" * 300, "é"])
def test_names_that_are_none(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gen(capsys, "new", name)[0] == 2
    assert gen(capsys, "explain", name)[0] == (0 if name == "seeds" else 2)
    assert Path("t.gen").read_text() == SPEC and len(list(here.iterdir())) == 1
