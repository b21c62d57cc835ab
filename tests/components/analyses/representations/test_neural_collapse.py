"""Neural collapse on a constructed simplex, and against the formulas of the paper in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.representations.neural_collapse import neural_collapse
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def by_the_paper(h: np.ndarray, y: np.ndarray, w: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Features `(N, p)`, labels, classifier `(C, p)`."""
    classes = len(w)
    means = np.stack([h[y == c].mean(0) for c in range(classes)])
    middle = means - means.mean(0)
    within = np.mean([np.cov(h[y == c].T, bias=True) for c in range(classes)], axis=0)
    between = middle.T @ middle / classes
    lengths = np.linalg.norm(middle, axis=1)
    cosines = (middle / lengths[:, None]) @ (middle / lengths[:, None]).T
    pairs = cosines[np.triu_indices(classes, 1)]
    rows = np.linalg.norm(w, axis=1)
    nearest = np.linalg.norm(h[:, None] - means[None], axis=2).argmin(1)
    return {
        "nc1": np.trace(within @ np.linalg.pinv(between, rcond=1e-8)) / classes,
        "nc2_lengths": lengths.std() / lengths.mean(),
        "nc2_angles": pairs.std(),
        "nc2_simplex": np.abs(pairs + 1 / (classes - 1)).mean(),
        "nc2_rows": rows.std() / rows.mean(),
        "nc3": np.linalg.norm(w / np.linalg.norm(w) - middle / np.linalg.norm(middle)) ** 2,
        "nc4": (nearest != answers).mean(),
    }


@pytest.mark.parametrize(
    ("options", "scale"), [({}, 1.0), ({"parametrisation": "ntk", "scale": 2.0}, 2 / 9**0.5)]
)
def test_against_the_paper(make_runs: Callable[..., Runs], options: dict[str, object], scale: float) -> None:
    runs = make_runs(hidden=[9], train=60, **options)
    found = neural_collapse(runs)
    inputs, labels = runs.split("train")
    values = hidden(runs, inputs)
    for member in range(3):
        h = values["hidden.0"][member].double().numpy().T
        w = runs.state.parameters["output.weight"][member].double().numpy() * scale
        expected = by_the_paper(h, labels[member].numpy(), w, values["output"][member].argmax(0).numpy())
        for name, value in expected.items():
            assert float(found[name][member]) == pytest.approx(value, rel=1e-6, abs=1e-9), name


def simplex(*, spread: float, classes: int = 4, noise: int = 0) -> Runs:
    """A linear network whose features are its inputs: corners of a simplex, and a classifier that is they."""
    corners = torch.eye(classes, dtype=torch.float64) - 1 / classes
    labels = torch.arange(classes).repeat(6)
    chance = torch.Generator().manual_seed(noise)
    inputs = corners[labels] + spread * torch.randn(
        len(labels), classes, generator=chance, dtype=torch.float64
    )
    data = Dataset({"train": Split(inputs, labels)}, "classification", (classes,), classes)
    network = mlp((classes,), classes, hidden=[])
    state = State(
        {"output.weight": 3 * corners[None], "output.bias": torch.zeros(1, classes, dtype=torch.float64)}, {}
    )
    return Runs(network, state, (data,), (0,), lambda outputs, targets: outputs)


def test_all_is_zero_at_collapse() -> None:
    for name, value in neural_collapse(simplex(spread=0.0)).items():
        assert float(value[0]) == pytest.approx(0, abs=1e-12), name


def test_spread_within_classes_is_what_it_was_made() -> None:
    """nc1 of a simplex with noise of variance s^2 (three directions count): `S_B` has three eigenvalues of 1/4."""
    found = np.mean(
        [float(neural_collapse(simplex(spread=0.01, noise=seed))["nc1"][0]) for seed in range(40)]
    )
    expected = 0.01**2 * (5 / 6) * 3 / (1 / 4) / 4  # the variance about the mean of six examples
    # Mean squares of 40 x 24 x 3 x 5/6 normal numbers.
    assert found == pytest.approx(expected, rel=4 * np.sqrt(2 / (40 * 60)) + 0.01)


def test_rotations_and_factors_leave_it_alone_and_maps_do_not() -> None:
    runs = simplex(spread=0.2)
    before = neural_collapse(runs)
    turn = torch.linalg.qr(
        torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    )[0]

    def through(matrix: torch.Tensor) -> Runs:
        part = runs.data[0].splits["train"]
        data = replace(runs.data[0], splits={"train": Split(part.inputs @ matrix.T, part.targets)})
        weight = runs.state.parameters["output.weight"] @ torch.linalg.inv(matrix)
        return replace(
            runs,
            data=(data,),
            state=State({**runs.state.parameters, "output.weight": weight}, {}),
        )

    for name, value in neural_collapse(through(5 * turn)).items():
        assert float(value[0]) == pytest.approx(float(before[name][0]), abs=1e-9), name
    stretched = neural_collapse(through(torch.diag(torch.tensor([1.0, 1, 1, 9], dtype=torch.float64))))
    assert float(stretched["nc2_lengths"][0]) > float(before["nc2_lengths"][0]) + 0.1
    assert float(stretched["nc3"][0]) > float(before["nc3"][0]) + 0.1


def test_every_class_must_be_there(make_runs: Callable[..., Runs]) -> None:
    with pytest.raises(Problem, match="no example"):
        neural_collapse(make_runs(train=2))
