"""Every statistic written in a spec: checked, given its unit, and decided from results."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.components import catalogue
from gendsl_runtime.results import collect

HEAD = """seeds 0..9
sweep width in [8, 16, 32, 64]
sweep lr in [0.1, 0.2, 0.4]

dataset rings = swiss_roll(train=100, held_back=50, test=100)
model net = mlp(hidden=[width], activation=relu)

train clean {
    model = net
    dataset = rings
    optimizer = sgd(lr=lr)
    budget = 5 epochs
}

analysis gap = generalization_gap(clean)
analysis curve = history(clean)
analysis size = parameter_count(clean)

claim c: """

CLAIMS = {
    "mean(exponent(gap.error, along=width), over=[seed, lr]) < 0": ("", "t"),
    "exponent(mean(gap.error, over=[seed, lr]), along=width) < 0": ("", "studentised bootstrap of seeds"),
    "ratio(gap.error where width == 64, gap.error where width == 8, over=[seed, lr]) < 1": (
        "",
        "studentised bootstrap of seeds",
    ),
    "ratio(curve.epochs, gap.error, over=[seed, lr]) > 1 for some width": (
        "epochs",
        "studentised bootstrap of seeds",
    ),
    "difference(gap.error where lr == 0.1, gap.error where lr == 0.4, over=[seed, width]) < 10%": (
        "",
        "paired t",
    ),
    "mean(auc(gap.error, along=width), over=[seed, lr]) > 0": ("", "t"),
    "mean(threshold(curve.train_error, along=epoch, level=50%), over=[seed, width, lr]) < 4": (
        "epochs",
        "t",
    ),
    "threshold(mean(gap.error, over=[seed, lr]), along=width, level=80%, direction=down, which=last) < 40": (
        "",
        "studentised bootstrap of seeds",
    ),
    "argmin(mean(gap.error, over=[seed, lr]), along=width) == 64": ("", "simultaneous paired t"),
    "argmax(mean(gap.error, over=[seed, lr]), along=width) < 64": ("", "simultaneous paired t"),
    "mean(argmin(gap.error, along=width), over=[seed, lr]) > 8": ("", "t"),
    "monotone(mean(gap.error, over=[seed, lr]), along=width, direction=falling) == 1": ("", "simultaneous t"),
    "fraction(monotone(gap.error, along=width) == 1, over=seed) < 50% for some lr": ("", "exact binomial"),
    "granulated_kendall(size.parameters, gap.error, over=[width, lr]) < 0": ("", "paired t"),
    "mean(conditional_information(size.parameters, gap.error, given=1)) >= 0": ("", "paired t"),
}


def decided(text, *, seed=0):
    source = Source(HEAD + text + "\n", "t.gen")
    file, _ = parse(source)
    found = check(source, file, catalogue(), Options())
    assert found.spec is not None, [d.message for d in found.diagnostics]
    spec, rng, nodes = found.spec, np.random.default_rng(seed), {}
    for name, step in spec.steps.items():
        if step.kind == "analysis":
            gives = catalogue().components["analysis", step.component].gives
            shape = [len(spec.axes[axis].values) for axis in step.axes]
            nodes[name] = [
                {
                    quantity: made(rng, dict(zip(step.axes, place)), len(own))
                    for quantity, (_, own) in gives.items()
                }
                for place in np.ndindex(*shape)
            ]
    (verdict,) = decide(collect(spec, nodes))
    return verdict


def made(rng, place, own):
    """Falling along the width, and along an own axis of 5 points."""
    falling = 0.9 - 0.06 * place["width"]
    values = falling + 0.02 * rng.normal(size=(5,) * own)
    return values - (np.linspace(0, 0.6, 5) if own == 1 else 0)


@pytest.mark.parametrize("text", CLAIMS)
def test_a_written_claim_has_unit_interval_and_verdict(text):
    unit, kind = CLAIMS[text]
    verdict = decided(text)
    assert verdict.unit == unit
    assert verdict.kind == kind
    assert np.isfinite(verdict.estimate)
    assert verdict.outcome in ("supported", "refuted", "undecided")
