"""Whether a point is a local minimum."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.affine import affine_loss, affine_radius
from gendsl_runtime.measures.copies import Copies, batch
from gendsl_runtime.measures.curvature import gradient
from gendsl_runtime.measures.dense import dense_layers, factors
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "lowest_change": "1",
        "loss": "1",
        "gradient": "1",
        "affine_loss": "1",
        "excess": "1",
        "radius": "1",
        "change": "1 [trial]",
        "size": "1 [trial]",
    },
    axes={"trial": "random perturbation, in the order drawn"},
    paper="goldblum2020truth",
)
def local_minimum(
    runs: Runs,
    *,
    on: SplitName = "train",
    trials: Count = 300,
    smallest: Positive = 1e-4,
    largest: Positive = 3e-2,
) -> dict[str, np.ndarray]:
    """Whether weights are a local minimum of the training loss: a proof where there is one, and random perturbations.

    Proof, for networks of dense layers with ReLU and `mse`. If each unit is on for all examples, or off for all, the
    network is affine in x on the data, and as long as no unit switches it stays so, wherever its weights go. Then its
    loss is at least that of the best affine map,

        affine_loss = min_{A, b} mean |A x + b - y|^2

    (Goldblum et al. 2020, theorem 1). Hence no weights within `radius` have a loss lower by more than `excess`,
    `loss - affine_loss`: a local minimum up to that. `radius` is a lower bound of how far all layers may move
    at once, weights and bias of each together by as much (Frobenius norm), before any unit switches on any example:
    with h the inputs of a layer, moved by at most e,

        |dz_i| <= |W_i| e + r (|(h, 1)| + e) < |z_i|,    e <- |W|_2 e + r (|(h, 1)| + e)

    where rows W_i, and W, are cut to units that are on. It is 0, and nothing is proved, where a unit switches between
    examples or an activation is no ReLU; infinite where nothing can switch: the network is linear.

    Test, for any loss: `change = L(w + s u) - L(w)` with u standard normal and s log-uniform from `smallest` to
    `largest`, drawn from the run's seed; `lowest_change` is the least. That no change is negative proves nothing, since
    random directions hardly ever meet the few that lead down; a negative one of more than rounding disproves.

    All is in float64, at the weights as they are stored, in float32: at a minimum rounded to those, `gradient` is
    about 1e-7 times the largest eigenvalue of the Hessian, `excess` about 1e-14 times it. The loss is the mean over the
    split, evaluation mode (no dropout), without weight decay.

    Args:
        on: the split; `fit` is everything the run was trained on.
        trials: perturbations.
        smallest: least standard deviation of what is added to each weight.
        largest: largest one.

    Returns:
        `loss`, norm of its `gradient`; `affine_loss`, of another loss than `mse` 0, which none is below; `excess`,
        negative for a network that is better than any affine map; `radius`; `change` and `size` s of each perturbation.

    Raises:
        Problem: the network is no chain of dense layers, or `smallest` is above `largest`.
    """
    if smallest > largest:
        raise Problem(
            "out-of-range",
            f"`smallest = {smallest}` is above `largest`",
            help=f"write `largest = {smallest}`",
        )
    layers, acting = dense_layers(runs, measure="local_minimum"), factors(runs)
    double = replace(runs, state=runs.state.to(runs.device, torch.float64))
    rows = []
    for place, own in enumerate(layers):
        member = double.select([place])
        inputs = member.split(on)[0][0].flatten(1).cpu().numpy()
        tried = _tried(member, on, trials, (smallest, largest))
        best = affine_loss(inputs, _aims(member, on)) if _is_mse(runs) else 0.0
        rows.append(
            {
                "lowest_change": tried.change.min(),
                "loss": tried.centre,
                "gradient": float(torch.linalg.vector_norm(gradient(member, on=on))),
                "affine_loss": best,
                "excess": tried.centre - best,
                "radius": affine_radius(own, acting, inputs),
                "change": tried.change,
                "size": tried.size,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


class Tried(NamedTuple):
    centre: float
    change: np.ndarray
    size: np.ndarray


def _tried(member: Runs, on: str, trials: int, sizes: tuple[float, float]) -> Tried:
    """Losses at perturbed copies of one member's weights."""
    stream = generator("local_minimum", member.seeds[0])
    low, high = (float(np.log(size)) for size in sizes)
    size = np.exp(stream.uniform(low, high, size=trials))
    centre, found = float(member.mean_loss(on)[0]), []
    width = batch(member, on)
    for start in range(0, trials, width):
        part = size[start : start + width]
        offsets = {
            name: torch.zeros(len(part), *value.shape[1:], dtype=value.dtype, device=value.device)
            for name, value in member.state.parameters.items()
        }
        for copy in range(len(part)):
            for offset in offsets.values():
                offset[copy] = torch.from_numpy(stream.standard_normal(offset.shape[1:]))
        found.append(Copies(member, on, offsets)(np.arange(len(part)), part))
    return Tried(centre, np.concatenate(found) - centre, size)


def _aims(member: Runs, on: str) -> np.ndarray:
    """Targets of one member `(examples, outputs)`, of classes their one-hot vectors."""
    targets = member.split(on)[1][0].cpu()
    if targets.is_floating_point():
        return targets.double().numpy().reshape(len(targets), -1)
    vectors: np.ndarray = np.eye(member.network.outputs)[targets.numpy()]
    return vectors


def _is_mse(runs: Runs) -> bool:
    return getattr(getattr(runs.loss, "function", runs.loss), "__name__", "") == "mse"
