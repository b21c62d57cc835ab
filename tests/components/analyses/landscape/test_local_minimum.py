"""Certificates against attacks and closed forms, planted minima against dense Hessians, perturbations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.func import functional_call, hessian

from gendsl_runtime.analyses.landscape.local_minimum import local_minimum
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures.affine import affine_loss, affine_radius
from gendsl_runtime.measures.dense import dense_layers, factors
from gendsl_runtime.models.embedded import embedded
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.embedded import Embedded

FEATURES, CLASSES, EXAMPLES = 3, 2, 25


def data(seed: int = 0) -> Dataset:
    chance = np.random.default_rng(seed)
    inputs = chance.uniform(size=(EXAMPLES, FEATURES))
    labels = (np.sin(5 * inputs[:, 0]) + 0.3 * chance.standard_normal(EXAMPLES) > 0).astype(int)
    train = Split(torch.from_numpy(inputs), torch.from_numpy(labels))
    return Dataset({"train": train}, "classification", (FEATURES,), CLASSES)


def optimum(given: Dataset) -> tuple[np.ndarray, float]:
    """The best affine map `(features + 1, classes)` by scipy's own least squares, and its loss."""
    inputs = np.c_[given.splits["train"].inputs.numpy(), np.ones(EXAMPLES)]
    aims = np.eye(CLASSES)[given.splits["train"].targets.numpy()]
    found = np.linalg.lstsq(inputs, aims, rcond=None)[0]
    return found, float(((inputs @ found - aims) ** 2).mean())


def planted(
    hidden: tuple[int, ...] = (4, 3), *, shift: float = 2.0, seed: int = 0, push: float = 0.0
) -> Runs:
    """The best affine map planted in a network, float64 throughout."""
    given = data(seed)
    best = torch.from_numpy(optimum(given)[0])
    source = State({"output.weight": best[:-1].T[None], "output.bias": best[-1][None]}, {})
    made = embedded((FEATURES,), CLASSES, lambda *of: mlp(*of, hidden=list(hidden)), shift=shift, push=push)
    assert isinstance(made, Embedded)
    start = made.adopt(source, made.init([seed]), seed).to("cpu", torch.float64)
    if not push:  # the bias in float64, too, which the start has in float32
        start.parameters["hidden.0.bias"][0, :CLASSES] = best[-1] + shift
        start.parameters["hidden.0.weight"][0, :CLASSES] = best[:-1].T
    return Runs(made, start, (given,), (seed,), mse)


def switches(runs: Runs, moved: list[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Whether any unit is on where it was off, or off where it was on, with other weights."""
    hidden = other = runs.data[0].splits["train"].inputs.numpy().T
    for layer, (weight, bias) in list(zip(dense_layers(runs, measure="test")[0], moved, strict=True))[:-1]:
        before, after = layer.weight @ hidden + layer.bias[:, None], weight @ other + bias[:, None]
        if bool((before * after <= 0).any()):
            return True
        hidden, other = np.maximum(before, 0), np.maximum(after, 0)
    return False


def moves(runs: Runs, radius: float, chance: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights moved by just this far in each layer, along random directions of a few coordinates or of all."""
    found = []
    for layer in dense_layers(runs, measure="test")[0]:
        shape = (*layer.weight.shape[:1], layer.weight.shape[1] + 1)
        direction = chance.standard_normal(shape) * (chance.random(shape) < chance.choice([0.1, 0.3, 1.0]))
        direction *= radius / max(np.linalg.norm(direction), 1e-9)
        found.append((layer.weight + direction[:, :-1], layer.bias + direction[:, -1]))
    return found


def radius_of(runs: Runs) -> float:
    inputs = runs.data[0].splits["train"].inputs.numpy()
    return affine_radius(dense_layers(runs, measure="test")[0], factors(runs), inputs)


def test_the_radius_of_one_hidden_layer_is_exact() -> None:
    """`min |w x + b| / |(x, 1)|` over units and examples: the move that takes one of them to zero has that length."""
    runs = planted((4,))
    inputs = runs.data[0].splits["train"].inputs.numpy()
    weight, bias = (runs.state.parameters[f"hidden.0.{name}"][0].numpy() for name in ("weight", "bias"))
    distances = (
        abs(inputs @ weight.T + bias) / np.linalg.norm(np.c_[inputs, np.ones(EXAMPLES)], axis=1)[:, None]
    )
    assert radius_of(runs) == pytest.approx(distances.min(), rel=2e-6)
    assert radius_of(runs) <= distances.min()


@pytest.mark.parametrize("hidden", [(4,), (4, 3), (3, 5, 2)])
def test_nothing_switches_within_the_radius(hidden: tuple[int, ...]) -> None:
    """2,000 moves of just that length in each layer at once, sparse and dense; five times as far some switch."""
    runs = planted(hidden, push=0.02)
    radius, chance = radius_of(runs), np.random.default_rng(1)
    assert radius > 0.02
    assert not any(switches(runs, moves(runs, radius, chance)) for _ in range(2000))
    assert any(switches(runs, moves(runs, 5 * radius, chance)) for _ in range(2000))


def test_the_radius_is_not_far_from_the_shortest_move_of_two_layers() -> None:
    """To first order, moving both layers along the gradient of a unit of the second; half as far is safe."""
    runs = planted((4, 3))
    weight, bias = (runs.state.parameters[f"hidden.1.{name}"][0, 0].numpy() for name in ("weight", "bias"))
    first = [runs.state.parameters[f"hidden.0.{name}"][0].numpy() for name in ("weight", "bias")]
    inputs = runs.data[0].splits["train"].inputs.numpy()
    shortest = np.inf
    for x in inputs:
        hidden = np.maximum(first[0] @ x + first[1], 0)
        height = weight @ hidden + bias
        live = np.linalg.norm(weight * (hidden > 0))
        slope = live * np.sqrt(x @ x + 1) + np.sqrt(hidden @ hidden + 1)
        shortest = min(shortest, height / slope)
    assert shortest / 2 < radius_of(runs) <= shortest


def test_where_a_unit_switches_nothing_is_proved_and_linear_networks_never_switch() -> None:
    given = data()
    for made, expected in (
        (mlp((FEATURES,), CLASSES, hidden=[40]), 0.0),
        (mlp((FEATURES,), CLASSES, hidden=[4], activation="tanh"), 0.0),
        (mlp((FEATURES,), CLASSES, hidden=[4, 4], activation="identity"), np.inf),
        (linear((FEATURES,), CLASSES), np.inf),
    ):
        runs = Runs(made, made.init([1]).to("cpu", torch.float64), (given,), (1,), mse)
        assert radius_of(runs) == expected


def test_in_the_neural_tangent_parametrisation_weights_act_by_less() -> None:
    """`z = W x / 3^(1/2) + 0.1 b`: moved by r, a height moves by at most r max(3^(-1/2), 0.1) |(x, 1)|."""
    made = mlp((FEATURES,), CLASSES, hidden=[2], parametrisation="ntk")
    state = made.init([1]).to("cpu", torch.float64)
    state.parameters["hidden.0.bias"][:] = torch.tensor([200.0, -200.0])
    runs = Runs(made, state, (data(),), (1,), mse)
    inputs = data().splits["train"].inputs.numpy()
    heights = inputs @ (state.parameters["hidden.0.weight"][0].numpy().T / 3**0.5) + [20.0, -20.0]
    lengths = np.linalg.norm(np.c_[inputs, np.ones(EXAMPLES)], axis=1)[:, None] / 3**0.5
    assert radius_of(runs) == pytest.approx((abs(heights) / lengths).min(), rel=2e-6)


def test_the_best_affine_map_against_least_squares_also_with_constant_pixels() -> None:
    chance = np.random.default_rng(3)
    inputs, aims = chance.standard_normal((30, 5)), chance.standard_normal((30, 4))
    inputs[:, 2], inputs[:, 4] = 0.0, inputs[:, 0] - 2 * inputs[:, 1] + 3
    whole = np.c_[inputs, np.ones(30)]
    found = np.linalg.lstsq(whole, aims, rcond=None)[0]
    assert affine_loss(inputs, aims) == pytest.approx(((whole @ found - aims) ** 2).mean(), rel=1e-12)
    assert affine_loss(np.zeros((30, 5)), aims) == pytest.approx(aims.var(0).mean(), rel=1e-12)


def test_a_planted_minimum_is_certified_and_its_dense_hessian_has_no_negative_eigenvalue() -> None:
    runs = planted()
    found = local_minimum(runs, trials=50)
    assert found["loss"][0] == pytest.approx(optimum(runs.data[0])[1], rel=1e-12)
    assert abs(found["excess"][0]) < 1e-14
    assert found["gradient"][0] < 1e-12
    assert found["radius"][0] > 0.1
    assert found["lowest_change"][0] > -1e-15
    curvatures = np.linalg.eigvalsh(dense_hessian(runs))
    assert curvatures[0] > -1e-12 * curvatures[-1]


def dense_hessian(runs: Runs) -> np.ndarray:
    """By `torch.func`, of a plain torch module."""
    hidden = [torch.nn.Linear(FEATURES, 4), torch.nn.Linear(4, 3), torch.nn.Linear(3, CLASSES)]
    module = torch.nn.Sequential(hidden[0], torch.nn.ReLU(), hidden[1], torch.nn.ReLU(), hidden[2]).double()
    names = [name for name, _ in module.named_parameters()]
    ours = [
        f"{layer}.{value}" for layer in ("hidden.0", "hidden.1", "output") for value in ("weight", "bias")
    ]
    given = [runs.state.parameters[name][0] for name in ours]
    split = runs.data[0].splits["train"]
    aims = torch.nn.functional.one_hot(split.targets, CLASSES).double()

    def loss(flat: Tensor) -> Tensor:
        parts = torch.split(flat, [value.numel() for value in given])
        values = {n: part.view_as(v) for n, part, v in zip(names, parts, given, strict=True)}
        return (functional_call(module, values, (split.inputs,)) - aims).square().mean()

    return hessian(loss)(torch.cat([value.flatten() for value in given])).detach().numpy()  # type: ignore[no-any-return]


def test_no_descent_within_the_radius_beats_the_certificate() -> None:
    """Off the minimum by a push, scipy's L-BFGS inside boxes within the radius never gets below `loss - excess`."""
    runs = planted((4, 3), push=0.02)
    found = local_minimum(runs, trials=5)
    excess, radius = found["excess"][0], found["radius"][0]
    assert excess > 1e-6
    names = list(runs.state.parameters)
    start = {name: value[0].numpy() for name, value in runs.state.parameters.items()}
    sizes = [start[name].size for name in names]
    reach = (
        radius / max(start[f"{layer}.weight"].size + 3 for layer in ("hidden.0", "hidden.1", "output")) ** 0.5
    )

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        leaf = torch.from_numpy(flat).requires_grad_()
        parts = torch.split(leaf, sizes)
        parameters = {name: part.view(1, *start[name].shape) for name, part in zip(names, parts, strict=True)}
        inputs, targets = runs.split("train")
        loss = runs.losses(inputs, targets, parameters).mean()
        (slope,) = torch.autograd.grad(loss, leaf)
        return float(loss.detach()), slope.numpy()

    origin = np.concatenate([start[name].ravel() for name in names])
    bounds = [(w - reach, w + reach) for w in origin]
    lowest = minimize(value, origin, jac=True, method="L-BFGS-B", bounds=bounds).fun
    assert found["loss"][0] - excess - 1e-12 <= lowest < found["loss"][0] - excess / 2


def test_a_slope_disproves() -> None:
    """Of a point with a gradient about half of the small perturbations go down, by about s |gradient|."""
    made = mlp((FEATURES,), CLASSES, hidden=[6])
    runs = Runs(made, made.init([1]).to("cpu", torch.float64), (data(),), (1,), mse)
    found = local_minimum(runs, trials=400, smallest=1e-6, largest=1e-4)
    change, size = found["change"][0], found["size"][0]
    assert found["lowest_change"][0] == change.min() < 0
    slopes = change / size / found["gradient"][0]
    assert abs(slopes.mean()) < 5 / 20
    assert abs(slopes.std() - 1) < 5 / 800**0.5
    assert abs(np.log(size).mean() - np.log(1e-5)) < 5 * np.log(100) / 12**0.5 / 20
    assert size.min() >= 1e-6
    assert size.max() <= 1e-4


def test_float32_is_looked_at_in_float64_and_members_alone() -> None:
    stack = [planted(seed=seed) for seed in (0, 1, 2)]
    state = State(
        {
            name: torch.cat([one.state.parameters[name] for one in stack])
            for name in stack[0].state.parameters
        },
        {},
    )
    runs = Runs(
        stack[0].network, state.to("cpu", torch.float32), tuple(one.data[0] for one in stack), (0, 1, 2), mse
    )
    whole = local_minimum(runs, trials=30)
    assert 0 < whole["excess"].max() < 1e-12
    assert whole["gradient"].max() < 1e-5
    for members in ([2], [1, 0]):
        part = local_minimum(runs.select(members), trials=30)
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][members], err_msg=name)


def test_of_another_loss_nothing_is_said_about_the_best_affine_map(make_runs: Callable[..., Runs]) -> None:
    found = local_minimum(make_runs(hidden=[4], activation="relu"), trials=3)
    assert not found["affine_loss"].any()
    np.testing.assert_array_equal(found["excess"], found["loss"])


def test_what_is_refused(make_runs: Callable[..., Runs]) -> None:
    with pytest.raises(Problem, match="dense layers"):
        local_minimum(make_runs(norm="layer"))
    with pytest.raises(Problem, match="above"):
        local_minimum(make_runs(), smallest=1.0, largest=0.5)
