"""A small experiment with made-up results, whole enough for every part of a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gendsl.spec import (
    Axis,
    Choice,
    Claim,
    Component,
    Coordinate,
    Flag,
    Items,
    Nothing,
    Number,
    Plot,
    Quantity,
    Spec,
    Statistic,
    Step,
    Use,
    Where,
)
from gendsl_runtime.claims.verdict import Case, Verdict
from gendsl_runtime.record import Failure, RunRecord, StepRecord
from gendsl_runtime.results import Results, collect

SEEDS = 4
WIDTHS = (4, 16, 64)
EPOCHS = 30
GIVES = {
    "generalization_gap": {"error": ("", ()), "train_accuracy": ("", ())},
    "history": {"train_error": ("", ("epoch",)), "epochs": ("epochs", ())},
    "decision_boundary": {"score": ("", ("y", "x"))},
    "basin_volume": {"log_volume": ("nats", ())},
}
ERROR = Quantity(step="gap", name="error")
CURVE = Quantity(step="curve", name="train_error", axes=("epoch",))
LINE = {
    "band": Number(value=0.95),
    "x_scale": Choice(name="linear"),
    "y_scale": Choice(name="linear"),
}


def numbers(*values: float) -> tuple[Number, ...]:
    return tuple(Number(value=value) for value in values)


def specification(**changes: object) -> Spec:
    """Widths and noise crossed, four seeds; one plot of each kind."""
    axes = (
        Axis(name="seed", kind="seeds", values=numbers(*range(SEEDS)), labels=tuple(range(SEEDS))),
        Axis(name="width", kind="sweep", values=numbers(*WIDTHS), labels=WIDTHS),
        Axis(name="noise", kind="sweep", values=numbers(0.0, 0.2), labels=("0%", "20%")),
    )
    sweep = ("width", "noise", "seed")
    net = Component(
        kind="model", name="mlp", version=1, arguments={"hidden": Items(items=(Coordinate(axis="width"),))}
    )
    sgd = Component(kind="optimizer", name="sgd", version=1, arguments={"lr": Number(value=0.1)})
    fields = {"dataset": Use(step="noisy"), "model": net, "optimizer": sgd}
    steps = [
        Step(name="digits", kind="dataset", component="sklearn_digits", version=1, arguments={}),
        Step(
            name="noisy",
            kind="dataset",
            component="with_label_noise",
            version=1,
            arguments={"dataset": Use(step="digits"), "share": Coordinate(axis="noise")},
            axes=("noise",),
        ),
        Step(name="fit", kind="train", component="train", version=1, arguments=fields, axes=sweep),
        analysis("gap", "generalization_gap", *sweep),
        analysis("curve", "history", *sweep),
        analysis("boundary", "decision_boundary", "noise", "seed"),
        analysis("vol", "basin_volume", "noise", "seed"),
    ]
    whole = Spec(
        name="small",
        title="Wider networks fit and generalise better",
        path="small.gen",
        text='experiment small { title = "x" }\n# a comment\nseeds 0..3\n',
        about="Networks of three widths learn digits. The rest explains why.",
        paper=("neyshabur2015search", "A note nobody listed"),
        axes={axis.name: axis for axis in axes},
        steps={step.name: step for step in steps},
        claims=CLAIMS,
        plots=PLOTS,
    )
    return whole.model_copy(update=changes)


def analysis(name: str, component: str, *axes: str) -> Step:
    return Step(
        name=name,
        kind="analysis",
        component=component,
        version=1,
        arguments={"run": Use(step="fit")},
        axes=axes,
    )


def plot(name: str, component: str, **arguments: object) -> Plot:
    return Plot(
        name=name, component=component, version=1, arguments=arguments, caption=f"The caption of {name}."
    )


def where(quantity: Quantity, **fixed: int) -> Where:
    return Where(subject=quantity, condition=Flag(value=True), fixed=fixed)


PLOTS = (
    plot(
        "by_width",
        "line",
        x=Coordinate(axis="width"),
        y=ERROR,
        color=Coordinate(axis="noise"),
        facet=Nothing(),
        **{**LINE, "x_scale": Choice(name="log")},
    ),
    plot(
        "learning",
        "line",
        x=Coordinate(axis="epoch"),
        y=CURVE,
        color=Coordinate(axis="width"),
        facet=Coordinate(axis="noise"),
        **LINE,
    ),
    plot(
        "cloud",
        "scatter",
        x=Quantity(step="gap", name="train_accuracy"),
        y=ERROR,
        color=Coordinate(axis="noise"),
    ),
    plot("bars", "bar", x=Coordinate(axis="width"), y=ERROR, color=Coordinate(axis="noise")),
    plot("map", "heatmap", x=Coordinate(axis="width"), y=Coordinate(axis="noise"), color=ERROR),
    plot("spread", "histogram", x=ERROR, color=Coordinate(axis="noise")),
    plot(
        "plane",
        "image",
        value=where(Quantity(step="boundary", name="score", axes=("y", "x")), seed=0),
        facet=Coordinate(axis="noise"),
    ),
)
CLAIMS = (
    Claim(
        name="fits",
        text="lowest(gap.train_accuracy where width == 64) >= 99%",
        left=Statistic(
            name="lowest", version=1, values=(Quantity(step="gap", name="train_accuracy"),), over=("seed",)
        ),
        op=">=",
        right=Number(value=0.99),
        caption="It fits.",
    ),
    Claim(
        name="wider_is_better",
        text="mean(gap.error where width == 64) < mean(gap.error where width == 4) at 95%",
        left=Statistic(name="mean", version=1, values=(ERROR,), over=("seed",)),
        op="<",
        right=Statistic(name="mean", version=1, values=(ERROR,), over=("seed",)),
    ),
    Claim(
        name="open",
        text="mean(vol.log_volume) > 3 at 95%",
        left=Quantity(step="vol", name="log_volume", unit="nats"),
        op=">",
        right=Number(value=3.0),
    ),
)


def verdict(name: str, outcome: str, **changes: object) -> Verdict:
    claim = next(claim for claim in CLAIMS if claim.name == name)
    base = Verdict(
        name=name,
        text=claim.text,
        op=claim.op,
        level=0.95,
        outcome=outcome,
        estimate=-0.1,
        low=-0.15,
        high=-0.05,
        left=0.04,
        right=0.14,
        used=SEEDS,
        missing=0,
        kind="paired t",
        p_value=0.004,
        p_true=0.002,
        p_false=0.998,
        corrected=outcome,
        corrected_p=0.008,
        caption=claim.caption,
    )
    return replace(base, **changes)


def verdicts() -> tuple[Verdict, ...]:
    """One of each outcome; the second has two cases."""
    cases = tuple(
        Case({"noise": label}, outcome, -0.1, -0.15, -0.05, 0.04, 0.14, used=SEEDS)
        for label, outcome in (("0%", "supported"), ("20%", "refuted"))
    )
    return (
        verdict("fits", "supported", estimate=0.01, low=0.01, high=0.01, left=1.0, right=0.99, kind="exact"),
        verdict("wider_is_better", "refuted", cases=cases, quantifiers={"noise": "all"}),
        verdict(
            "open",
            "undecided",
            low=-np.inf,
            high=0.2,
            left=2.9,
            right=3.0,
            reason="one seed says nothing about others",
            warnings=("fewer than 5 seeds",),
        ),
    )


def nodes() -> dict[str, list[dict[str, np.ndarray] | None]]:
    """Payloads in the order of the axes; the fit of width 4, 20% noise, seed 3 diverged."""
    random = np.random.default_rng(7)
    epochs = np.arange(1, EPOCHS + 1)
    side = np.round(np.linspace(-1.0, 1.0, 40), 6)
    found: dict[str, list[dict[str, np.ndarray] | None]] = {"gap": [], "curve": [], "boundary": [], "vol": []}
    for width in WIDTHS:
        for noise in (0.0, 0.2):
            for seed in range(SEEDS):
                if (width, noise, seed) == (4, 0.2, 3):
                    found["gap"].append(None)
                    found["curve"].append(None)
                    continue
                error = 0.03 + 0.5 / width + 0.3 * noise + 0.01 * random.normal()
                found["gap"].append({"error": np.array(error), "train_accuracy": np.array(1 - error / 4)})
                curve = np.exp(-epochs * width / 60) + 0.01 * random.random(EPOCHS)
                found["curve"].append({"train_error": curve, "epochs": np.array(EPOCHS), "epoch": epochs})
    for noise in (0.0, 0.2):
        for _ in range(SEEDS):
            score = 1 / (1 + np.exp(-8 * (side[:, None] - side[None, :] ** 2 + noise)))
            found["boundary"].append({"score": score, "x": side, "y": side})
            found["vol"].append({"log_volume": np.array(-300 + 20 * random.normal())})
    return found


def results(**changes: object) -> Results:
    """Results with record, failures and verdicts; `changes` are made to the spec."""
    experiment = specification(**changes)
    place = {"width": 4, "noise": "20%", "seed": 3}
    failures = tuple(
        Failure(step, place, "diverged: the loss was not finite after 41 steps")
        for step in ("fit", "gap", "curve")
    )
    totals = {
        name: int(np.prod([len(experiment.axes[a].values) for a in s.axes]))
        for name, s in experiment.steps.items()
    }
    steps = tuple(
        StepRecord(
            name=name,
            kind=step.kind,
            component=step.component,
            total=totals[name],
            computed=0 if step.kind == "dataset" else totals[name] - sum(f.step == name for f in failures),
            cached=totals[name] if step.kind == "dataset" else 0,
            failed=sum(f.step == name for f in failures),
            seconds=1.25,
            inputs={"noisy": ("digits",), "fit": ("noisy",), "digits": ()}.get(name, ("fit",)),
            digest="0123456789abcdef" * 4,
        )
        for name, step in experiment.steps.items()
    )
    record = RunRecord(
        run="small-001",
        started="2026-03-01T12:00:00+00:00",
        seconds=12.5,
        command=("gen", "run", "small.gen", "--set", "title=a b"),
        device="cpu",
        versions={"python": "3.11.2", "torch": "2.13.0"},
        machine={"system": "Linux", "cores": "2"},
        steps=steps,
        failures=failures,
    )
    found = collect(experiment, nodes(), failures, record, gives=GIVES)
    return replace(found, verdicts=verdicts())
