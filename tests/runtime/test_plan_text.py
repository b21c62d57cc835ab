"""Plans of specs as people write them: what an edit of the text does to the keys, and `gen plan` itself."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from gendsl.diagnostic import DiagnosticError
from gendsl.plan import Plan, plan
from gendsl_runtime.cli import main as gen
from gendsl_runtime.cli import plan as command
from gendsl_runtime.reading import read_checked
from gendsl_runtime.store import Entry, Store

SPEC = """
param width: int = 16 in 8..1024

seeds 0..2
sweep lr in [0.1, 0.2]

dataset digits = sklearn_digits(train=1000, test=500)
dataset noisy = with_label_noise(digits, share=20%, seed=seed)
model net = mlp(hidden=[width, 2 * width], activation=relu)

train fit {
    model = net
    dataset = noisy
    optimizer = sgd(lr=lr, momentum=0.9)
    batch = 50
    budget = 10 epochs
}

train other extends fit { optimizer = adam(lr=0.001) }

sweep run in [fit, other]

analysis gap = generalization_gap(run)
analysis curve = history(fit)

claim learns: mean(gap.train_accuracy where run == fit) > 50% at 95%
"""


def read(folder: Path, text: str) -> Plan:
    file = folder / "x.gen"
    file.write_text(text)
    return plan(
        read_checked(str(file)).spec, numerics="cpu", file_digest=lambda path: sha256(path.encode()).digest()
    )


def keys(made: Plan) -> set[bytes]:
    return {step.recipe_key(i) for step in made for i in range(step.count)}


def edited(pattern: str, by: str) -> str:
    assert re.search(pattern, SPEC), pattern
    return re.sub(pattern, by, SPEC)


SAME = {
    "a comment": SPEC.replace("seeds 0..2", "seeds 0..2  # three\n# of them"),
    "a caption": SPEC.replace("train fit", '"""Plain."""\ntrain fit'),
    "another layout": re.sub(r"\n    ", " ", SPEC),
    "a renamed step": edited(r"\bnoisy\b", "dirty"),
    "a renamed model": edited(r"\bnet\b", "small"),
    "a renamed axis": edited(r"\blr\b(?!=)", "rate"),
    "a default written out": edited(r"batch = 50", "batch = 50\n    seed = seed"),
    "a number in other words": edited(r"share=20%", "share=0.2"),
    "a parameter put in": edited(r"\[width, 2 \* width\]", "[16, 32]"),
    "a statement less": edited(r"claim .*", ""),
    "fields in another order": edited(
        r"    batch = 50\n    budget = 10 epochs", "    budget = 10 epochs\n    batch = 50"
    ),
    "declarations in another order": "\n\n".join(reversed(SPEC.strip().split("\n\n"))),
}


@pytest.mark.parametrize("text", SAME.values(), ids=list(SAME))
def test_an_edit_without_a_meaning_keeps_every_key(tmp_path: Path, text: str) -> None:
    assert keys(read(tmp_path, text)) == keys(read(tmp_path, SPEC))


@pytest.mark.parametrize(
    ("pattern", "by", "kept"),
    [
        (r"train=1000", "train=999", set()),
        (r"share=20%", "share=21%", {"digits"}),
        (r"int = 16", "int = 17", {"digits", "noisy"}),
        (r"activation=relu", "activation=tanh", {"digits", "noisy"}),
        (r"momentum=0.9", "momentum=0.91", {"digits", "noisy", "other"}),
        (r"momentum=0.9", "momentum=0.9, schedule=cosine", {"digits", "noisy", "other"}),
        (r"10 epochs", "10 steps", {"digits", "noisy"}),
        (r"batch = 50", "batch = 50\n    checkpoints = [1 epoch]", {"digits", "noisy"}),
        (r"adam\(lr=0.001\)", "adamw(lr=0.001)", {"digits", "noisy", "fit", "curve"}),
    ],
)
def test_an_edit_with_a_meaning_changes_what_depends_on_it(
    tmp_path: Path, pattern: str, by: str, kept: set[str]
) -> None:
    before, after = read(tmp_path, SPEC), read(tmp_path, edited(pattern, by))
    changed = {step.name for step in before if after[step.name].keys != step.keys}
    assert changed == set(before.steps) - kept


def test_a_run_without_an_axis_is_not_repeated_along_it(tmp_path: Path) -> None:
    made = read(tmp_path, SPEC)
    assert made["other"].axes == ("seed",)
    assert made["gap"].shape == (2, 2, 3)
    assert len({made["gap"].recipe_key(i) for i in range(12)}) == 6 + 3


MILLION = """
seeds 0..99
sweep lr in 1..200
sweep width in 1..50
dataset digits = sklearn_digits(train=1000, test=500)
model net = mlp(hidden=[width])
train fit {
    model = net
    dataset = digits
    optimizer = sgd(lr=lr)
    batch = 50
    budget = 1 epoch
}
analysis gap = generalization_gap(fit)
"""


def test_a_million_members_are_refused_with_their_factors(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as caught:
        read(tmp_path, MILLION)
    (fault,) = caught.value.diagnostics
    assert fault.code == "plan-too-large"
    assert fault.note == "200 lr x 50 width x 100 seed = 1,000,000 trainings of fit"
    assert fault.source.text[fault.span.start : fault.span.end].startswith("fit")


PROGRAM = """
import json, re, sys
from pathlib import Path
from gendsl.plan import plan
from gendsl_runtime.reading import read_checked

made = plan(read_checked(sys.argv[1]).spec, numerics="cpu", max_runs=1_000_000, file_digest=lambda path: b"")
assert made["gap"].inputs(777_777) == {"runs": ("fit", 777_777)}
# Not ru_maxrss: that counts the process that started this one.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([peak, len(made["gap"].keys)]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_million_members_are_planned_in_a_gigabyte_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.gen").write_text(MILLION)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "runtime")}
    command_ = [sys.executable, "-c", PROGRAM, str(tmp_path / "x.gen")]
    answer = subprocess.run(command_, env=environment, capture_output=True, check=True).stdout
    kilobytes, size = json.loads(answer)
    assert size == 32_000_000
    assert kilobytes < 1_000_000


def gen_plan(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser)
    return command.main(parser.parse_args([*words, "--device", "cpu"]))


def fill(folder: Path, store: Path) -> None:
    """Stores something under every key that `gen plan` asks for."""
    from gendsl_runtime.numerics import numerics

    made = plan(
        read_checked(str(folder / "x.gen")).spec, numerics=numerics("cpu"), file_digest=lambda path: b""
    )
    with Store.open(store) as opened:
        opened.commit(
            [
                Entry(key, key[::-1], key, step.step.kind, step.step.component, 1.0)
                for step in made
                for key in {step.recipe_key(i) for i in range(step.count)}
            ]
        )


def test_gen_plan_says_what_is_to_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, store = tmp_path / "x.gen", tmp_path / "store"
    file.write_text(SPEC)
    words = (str(file), "--store", str(store))
    assert gen_plan(*words) == 2
    assert not store.exists()
    cold = capsys.readouterr().out
    assert cold.splitlines()[-1] == "9 trainings: to compute; 4 datasets: to compute; 15 analyses: to compute"
    fill(tmp_path, store)
    assert gen_plan(*words) == 0
    warm = capsys.readouterr().out
    assert warm.splitlines()[-1] == "9 trainings: all stored; 4 datasets: all stored; 15 analyses: all stored"
    assert gen_plan(*words, "--seeds", "0..3") == 2
    assert "2 lr x 2 run x 4 seed  4 new, 12 stored" in capsys.readouterr().out


def test_gen_plan_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.gen").write_text(SPEC)
    assert gen_plan(str(tmp_path / "x.gen"), "--store", str(tmp_path / "store"), "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert [step["name"] for step in told["steps"]][:3] == ["digits", "noisy", "fit"]
    assert told["steps"][2]["axes"] == {"lr": 2, "seed": 3}
    assert told["trainings"] == 9


def test_gen_plan_shows_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.gen").write_text(SPEC.replace("relu", "relo"))
    assert gen(["plan", str(tmp_path / "x.gen"), "--store", str(tmp_path / "store")]) == 1
    assert "relo" in capsys.readouterr().err


def test_arithmetic_without_a_value_is_refused_with_the_coordinate(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as caught:
        read(tmp_path, edited(r"adam\(lr=0.001\)", "adam(lr=0.1 / seed)"))
    (fault,) = caught.value.diagnostics
    assert fault.code == "no-such-number"
    assert fault.note == "division by zero or overflow where seed = 0"
