"""Faults: where they are shown, that each is shown once, and that nothing gives a traceback."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from gendsl.check import check
from gendsl.explain import CODES
from gendsl.parse import parse
from gendsl.source import Source
from tests.language.checking import BASE, checked, codes, components, only, spec

ROOT = Path(__file__).parents[2]

SWEPT = BASE.replace("hidden=[8]", "hidden=[width]") + "sweep width in [4, 8, 16]\nanalysis g = gap(clean)\n"
THINKING = """
experiment deep_thinking {
    title = "A net trained on small mazes solves larger ones by thinking longer"
    paper = "Schwarzschild et al., Can You Learn an Algorithm?, 2021"
}
seeds 0..4
sweep iterations in [5, 10, 20, 30, 50, 75, 100, 200]
dataset small = mazes(size=9, train=50_000, test=10_000)
dataset large = mazes(size=13, test=10_000)
model thinker = dt_net(width=128, recall=true, max_iterations=30)
model forgetful extends thinker {
    recall = false
}
train recurrent {
    model = thinker
    dataset = small
    loss = progressive(alpha=0.01)
    optimizer = adam(lr=1e-3, warmup=10 epochs, clip=1.0)
    schedule = step_decay(milestones=[100 epochs, 110 epochs], factor=0.1)
    batch = 50
    budget = 120 epochs
}
train without_recall extends recurrent {
    model = forgetful
    optimizer.lr = 5e-4
}
sweep run in [recurrent, without_recall]
sweep size in [small.test, large.test]
analysis acc = accuracy(run, on=size, iterations=iterations)
claim thinks_longer:
    mean(acc where run == recurrent and size == large.test and iterations == 100)
        - mean(acc where run == recurrent and size == large.test and iterations == 30)
        > 10% at 95%
claim does_not_overthink:
    slope(acc where run == recurrent and size == small.test and iterations in 30..200,
          along=iterations) > -0.001 at 95%
plot thinking_time = line(x=iterations, y=acc, color=run, facet=size, band=95%)
"""
DESCENT = """
param budget = 4000 epochs in 1..4000 epochs
seeds 0..4
sweep width in [1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64]
sweep noise in [0%, 10%, 20%]
dataset images = cifar10(label_noise=noise)
model net = resnet18(width=width)
train fit {
    model = net
    dataset = images
    optimizer = adam(lr=1e-4)
    batch = 128
    budget = budget
    crop = 4 px
}
analysis err = error_rate(fit)
analysis size = parameter_count(net)
claim peak_with_noise: rise(err.test where noise == 20%, along=width) > 2% at 95%
claim second_descent:
    mean(err.test where noise == 20% and width == 64)
        < lowest(err.test where noise == 20% and width in 1..16, along=width) at 95%
plot fit_curve = line(x=size, y=err.train, color=noise, x_scale=log)
"""


def test_the_thinking_example():
    found = spec(THINKING)
    assert found.steps["recurrent"].axes == ("seed",)
    assert found.steps["acc"].axes == ("iterations", "run", "size", "seed")
    lr = [
        found.steps[name].arguments["optimizer"].arguments["lr"].value
        for name in ("recurrent", "without_recall")
    ]
    assert lr == [1e-3, 5e-4]


def test_the_descent_example():
    found = spec(DESCENT)
    assert found.claims[1].right.over == ("width",) and found.claims[1].left.over == ("seed",)
    assert found.steps["fit"].axes == ("width", "noise", "seed") and found.steps["size"].axes == ("width",)
    assert found.axes["noise"].labels == (0.0, 0.1, 0.2)


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        (BASE.replace("= net\n", "= resnet18()\n"), "wrong-shape", "resnet18()"),
        (
            BASE.replace("rings(train=100, held_back=50, test=100)", "mazes(size=5, train=9)").replace(
                "= net\n", "= resnet18()\n"
            ),
            "wrong-shape",
            "resnet18()",
        ),
        (
            BASE.replace("held_back=50, ", "")
            + "train p extends clean { dataset = poisoned(data, from=held_back) }",
            "unknown-split",
            "held_back",
        ),
        (BASE + "analysis a = accuracy(clean, on=tset)", "unknown-split", "tset"),
        (
            BASE + "dataset t = teacher()\ntrain r extends clean { dataset = t }\nanalysis a = gap(r)",
            "wrong-task",
            "r",
        ),
        (
            BASE + "dataset t = teacher()\ntrain r extends clean { dataset = t }\nanalysis a = boundary(r)",
            "wrong-shape",
            "r",
        ),
        (
            BASE + "train r extends clean { dataset = teacher()  loss = cross_entropy }",
            "wrong-task",
            "cross_entropy",
        ),
        (BASE + "train r extends clean { optimizer = gd()  batch = 5 }", "needs-whole-set", "5"),
        (BASE + "analysis a = gap(clean.at(epoch=9))", "out-of-range", "9"),
        (
            BASE + "analysis a = gap(clean.at(epoch=[0, 1]))\nanalysis b = gap(clean.at(epoch=[0, 2]))",
            "conflicting-epochs",
            "[0, 2]",
        ),
        (BASE + "analysis a = gap(clean.at(9))", "unknown-argument", "9"),
        (BASE + "train r extends clean { crop = 4 }", "missing-unit", "4"),
        (BASE + "train r extends clean { crop = 4 nats }", "wrong-unit", "4 nats"),
        (
            BASE + "dataset k = keep(data, by=clean)\ntrain r extends clean { dataset = k }",
            "wrong-kind",
            "clean",
        ),
        (SWEPT + "claim c: mean(g.error, over=widht) < 1", "unknown-name", "widht"),
        (SWEPT + "claim c: quantile(g.error) < 1", "missing-argument", "quantile"),
        (SWEPT + "claim c: spearman(g.error) < 1", "missing-argument", "spearman"),
        (SWEPT + "claim c: mean(g.error, g.gap) < 1", "unnamed-argument", "g.gap"),
        (SWEPT + "claim c: slope(g.error, over=width) < 1", "unknown-argument", "over"),
        (SWEPT + "claim c: mean(g.error) < 1 for all width", "missing-axis", "width"),
        (SWEPT + "claim c: mean(g.error) < 1 at 30%", "out-of-range", "30%"),
        (
            SWEPT + "claim c: (mean(g.error) < 1) and (mean(g.gap) < 1)",
            "not-a-claim",
            "(mean(g.error) < 1) and (mean(g.gap) < 1)",
        ),
        (SWEPT + "claim c: mean(g.error where width in [4, 5]) < 1", "unknown-label", "5"),
        (SWEPT + "claim c: mean(g.error where width == 4 px) < 1", "wrong-unit", "4 px"),
        (SWEPT + "claim c: mean(g.error where g == 4) < 1", "wrong-kind", "g"),
        (SWEPT + "claim c: mean(g.error where width > 16) < 1", "empty-selection", "width > 16"),
        (
            SWEPT + "claim c: mean(g.error where width == 4 and width == 8) < 1",
            "empty-selection",
            "width == 4 and width == 8",
        ),
        (SWEPT + "plot p = line(x=width, y=gap(clean))", "wrong-kind", "gap"),
        (
            SWEPT + "analysis n = parameter_count(net)\nplot p = line(x=seed, y=n.count)",
            "missing-axis",
            "seed",
        ),
        (SWEPT + "sweep r in [g]\nanalysis h = gap(r)", "wrong-kind", "g"),
        (
            SWEPT + "sweep s in [1 epochs, 2 steps]\ntrain t extends clean { budget = s }",
            "wrong-unit",
            "2 steps",
        ),
        (SWEPT + "sweep s in [s]\ntrain t extends clean { batch = s }", "cycle", "s"),
        (
            SWEPT + "sweep w in [2, 4]\ntrain t extends clean { batch = 8 / (w - 4) }",
            "out-of-range",
            "8 / (w - 4)",
        ),
        (SWEPT + "report main { shown = [g] }", "unknown-field", "shown"),
        ('experiment e { titel = "" }' + BASE, "unknown-field", "titel"),
        (BASE + "seeds 1..2", "duplicate-name", "1..2"),
        (BASE + "param seed = 3", "duplicate-name", "seed"),
        (
            BASE + "train r extends clean { optimizer.lr = 1  optimizer = adam() }",
            "duplicate-field",
            "optimizer",
        ),
        (BASE + "train r extends net { batch = 1 }", "wrong-kind", "net"),
        (BASE + "analysis a = clean", "wrong-type", "clean"),
        (
            SWEPT
            + "analysis n = disagreement(clean, over=seed)\nsweep z in [1]\n"
            + "train t extends clean { batch = z }\n"
            + "analysis d = disagreement(clean, over=z)",
            "missing-axis",
            "z",
        ),
        (SWEPT + "plot p = line(width, g.error)", "unnamed-argument", "width"),
        (BASE + "train r = clean", "wrong-form", "r"),
    ],
)
def test_one_fault_at_its_place(text, code, shown):
    found, underlined = only(text)
    assert (found.code, underlined) == (code, shown), found.message


def test_what_depends_on_a_fault_is_silent():
    text = (
        BASE.replace("= data\n", "= dota\n")
        + "analysis g = gap(clean)\nclaim c: mean(g.eror) < 1\nlet x = g.no"
    )
    assert codes(text) == ["unknown-name"]


def test_names_of_broken_declarations_are_silent():
    source = Source(BASE.replace("= net\n", "= lost\n"), "spec.gen")
    file, _ = parse(source)
    found = check(source, file._replace(broken=frozenset({"lost"})), components())
    assert found.spec is None or not found.diagnostics


def test_few_seeds_is_said_once_and_is_no_error():
    text = SWEPT.replace("0..9", "0..2") + "claim c: mean(g.error) < 1\nclaim d: mean(g.gap) < 1"
    found = checked(text)
    assert [d.code for d in found.diagnostics] == ["few-seeds"] and found.spec is not None


def test_every_code_in_the_source_is_explained_and_has_a_wrong_spec():
    used = set()
    for path in (ROOT / "gendsl/check").glob("*.py"):
        used |= set(re.findall(r'(?:fail|report)\(\s*"([a-z-]+)"', path.read_text()))
    used |= {"wrong-unit", "missing-unit", "unknown-field", "missing-field", "bad-component"}
    assert used <= set(CODES)
    shown = "".join(path.read_text() for path in (ROOT / "tests/errors").glob("*.txt"))
    elsewhere = {
        "unknown-preset",
        "too-deep",
        "bad-component",
    }  # a command line, a chain of thousands, a component
    assert {code for code in used - elsewhere if f"[{code}]" not in shown} == set()


def test_a_chain_of_thousands_is_a_diagnostic():
    chain = "\n".join(f"param p{i} = p{i + 1}" for i in range(5000)) + "\nparam p5000 = 1"
    found = checked(BASE + chain).diagnostics
    assert {d.code for d in found} <= {"too-deep", "unused-name"}


TOKEN = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|\d[\d_.]*(?:e-?\d+)?[ ]?(?:epochs|%|px)?|\w+|\.\.|[<>=!]=|\S')


@pytest.mark.parametrize("text", [THINKING, DESCENT, SWEPT], ids=["thinking", "descent", "swept"])
def test_a_missing_token_is_at_most_one_diagnostic(text):
    for token in TOKEN.finditer(text):
        cut = text[: token.start()] + text[token.end() :]
        source = Source(cut, "spec.gen")
        file, faults = parse(source)
        found = [] if faults else check(source, file, components()).diagnostics
        assert sum(d.severity == "error" for d in found) <= 1, (token, [d.message for d in found])


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_give_no_traceback(seed):
    chance = random.Random(seed)
    text = chance.choice([THINKING, DESCENT, SWEPT])
    spans = [token.span() for token in TOKEN.finditer(text)]
    for _ in range(250):
        cut = text
        for _ in range(chance.randint(1, 3)):
            (start, end), (first, last) = chance.choice(spans), chance.choice(spans)
            cut = cut[:start] + text[first:last] + cut[end:]
        source = Source(cut, "spec.gen")
        file, _ = parse(source)
        check(source, file, components())
