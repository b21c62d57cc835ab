"""The measures of the two large studies of generalisation measures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.analyses.sharpness.pac_bayes_sharpness import pac_bayes_sharpness
from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures import fantastic, vectors
from gendsl_runtime.measures.margin import output_margins
from gendsl_runtime.measures.norms import Map, maps
from gendsl_runtime.measures.pairs import same_parameters
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool

QUANTILE = 0.1
"""The margin is this quantile of the margins of the training examples (Jiang et al. 2020, appendix C.2)."""
CHAIN = (Flatten, Linear, Conv, Pointwise, Pool, GlobalAverage, Dropout)
"""Layers through which paths can be counted."""
Convolutions = Literal["mixed", "operators", "kernels"]


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"value": "1 [measure]", "scaled": "1 [measure]"},
    axes={"measure": "name of the measure"},
    paper=["jiang2020fantastic", "dziugaite2020robust"],
)
def generalization_measures(
    runs: Runs,
    *,
    other: Runs,
    samples: Count = 10,
    tolerance: Positive = 0.05,
    convolutions: Literal["mixed", "operators", "kernels"] = "mixed",
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """All measures of Jiang et al. and Dziugaite et al. at once, for rank correlations with the gap over a sweep.

    After Jiang et al. (2020, appendix C) and Dziugaite et al. (2020): with layers W_1..W_d started at V_1..V_d, the
    parameters w started at v, m examples, and gamma the 10 % quantile of the output margins:

    - `parameters`, `inverse_margin` 1/gamma^2
    - `log_spectral_product` log prod |W|_2^2, `log_spectral_sum` log(d (prod |W|_2^2)^(1/d)), each also `_margin` with
      the product divided by gamma^2; `log_spectral_original` log(prod |W|_2^2 sum |W|_F^2 / |W|_2^2 / gamma^2) and
      `log_spectral_distance`, the same with |W - V|_F; the sums alone: `frobenius_over_spectral`,
      `distance_over_spectral`
    - the same products and sums with |W|_F: `log_frobenius_...`; `parameter_norm` sum |W|_F^2, `frobenius_distance`
      sum |W - V|_F^2, `spectral_distance` sum |W - V|_2^2
    - `path_norm` sum of squared weights over all paths, `path_norm_margin` divided by gamma^2
    - `flatness` 1/sigma^2, `pac_bayes_start` |w - v|^2 / (4 sigma^2) + log(m / sigma) + 10, `pac_bayes_origin` with
      |w|^2; `..._magnitude` with sigma' relative to the magnitude of weights. sigma is the largest noise that raises
      the training error by 0.1 at most (`pac_bayes_sharpness`)
    - `cross_entropy`, the training loss; `negative_entropy` of the predictions on the training examples;
      `steps_to_loss`, steps until the training loss of an epoch was 0.1 or less; `steps`
    - `hessian_trace`, which is in neither study

    All are such that a larger value is thought to mean a larger gap. A convolution's spectral norm is that of the
    operator it is on a whole image, its Frobenius norm that of its kernel (`mixed`, as Jiang et al. took them; their
    operator is circular, ours has the zeros around the image that it acts with). Biases are parameters, and no layers.

    NaN: with gamma where a tenth of the training examples is wrong; `path_norm` for networks that are more than a chain
    of dense and convolution layers; ratios to the spectral norm of a layer that is zero; `steps_to_loss` where it was
    never reached; `scaled` of what is below zero, as `negative_entropy` is. Infinite: flatness where no noise is
    withstood. Numerical error: that of sigma, `tolerance` and the standard error of `samples` draws; of the trace. The
    worst-case sharpness of Jiang et al. is `perturbation_radius`, which costs ten times as much as all of these.

    Args:
        other: the run at its start, `fit.at(epoch=0)`.
        samples: draws of the noise, and probes of the trace.
        tolerance: relative width of the bracket of sigma.
        convolutions: both norms of `operators`, where a weight counts once for each place it acts at in the Frobenius
            norm; both of `kernels` as matrices on one patch, as in the code of Dziugaite et al.; or `mixed`.
        on: the split of the training examples.

    Returns:
        `value` `(members, measure)`, and `scaled` alike: `sqrt(value / m)`, as it would enter a bound, for sweeps in
        which m differs (Dziugaite et al. 2020); of a logarithm the logarithm of that.

    Example:
        analysis measures = generalization_measures(fit, other=fit.at(epoch=0))
    """
    same_parameters(runs, other, "generalization_measures")
    if samples < 2:
        raise Problem("out-of-range", "one draw has no standard error", help="samples=2 or more")
    plain, relative = (
        pac_bayes_sharpness(
            runs, scale=scale, floor=fantastic.FLOOR, samples=samples, tolerance=tolerance, on=on
        )
        for scale in ("plain", "magnitude")
    )
    trace = np.asarray(hessian_trace(runs, probes=samples, on=on)["trace"])
    margins = np.quantile(output_margins(runs, on=on).cpu().numpy(), QUANTILE, axis=1)
    paths, layers = _path_norms(runs), _layers(runs, other, convolutions)
    weights, start = (vectors.flat(one.state.parameters).double().cpu().numpy() for one in (runs, other))
    examples, losses, entropy = (
        runs.split(on)[0].shape[1],
        runs.mean_loss(on).cpu().numpy(),
        _entropies(runs, on),
    )
    found = [
        {
            "parameters": float(weights.shape[1]),
            **fantastic.norm_measures(layers[row], margin=float(margins[row]), path_norm=float(paths[row])),
            **fantastic.flatness_measures(
                fantastic.Weights(weights[row], weights[row] - start[row]),
                fantastic.Flatness(float(plain["sigma"][row]), float(relative["sigma"][row])),
                examples=examples,
            ),
            "cross_entropy": float(losses[row]),
            "negative_entropy": -float(entropy[row]),
            **_steps(runs, row),
            "hessian_trace": float(trace[row]),
        }
        for row in range(runs.members)
    ]
    names = list(found[0])
    return {
        "value": np.array([[one[name] for name in names] for one in found]),
        "scaled": np.array(
            [[fantastic.scaled(name, one[name], examples=examples) for name in names] for one in found]
        ),
        "measure": np.array(names),
    }


def _layers(runs: Runs, start: Runs, convolutions: Convolutions) -> list[fantastic.Layers]:
    found = []
    for own, first in zip(maps(runs), maps(start), strict=True):
        moved = [_difference(one, its) for one, its in zip(own, first, strict=True)]
        found.append(
            fantastic.Layers(
                spectral=np.array([_spectral(one, convolutions) for one in own]),
                frobenius=np.array([_frobenius(one, convolutions) for one in own]),
                moved=np.array([_frobenius(one, convolutions) for one in moved]),
                moved_spectral=np.array([_spectral(one, convolutions) for one in moved]),
            )
        )
    return found


def _difference(one: Map, other: Map) -> Map:
    return replace(one, kernel=one.kernel - other.kernel)


def _spectral(one: Map, convolutions: Convolutions) -> float:
    if convolutions == "kernels":
        return float(torch.linalg.svdvals(one.kernel.flatten(1))[0])
    return one.spectral()[0]


def _frobenius(one: Map, convolutions: Convolutions) -> float:
    squares = one.rows().square() if convolutions == "operators" else one.kernel.square()
    return float(squares.sum().sqrt())


@torch.no_grad()
def _path_norms(runs: Runs) -> np.ndarray:
    """Outputs summed for inputs of ones, with all weights squared, activations and biases left out."""
    network = runs.network
    if not isinstance(network, Layered) or not all(isinstance(layer, CHAIN) for layer in network.layers):
        return np.full(runs.members, np.nan)
    squared = _squared(network, {name: value.double() for name, value in runs.state.parameters.items()})
    values = Pass(squared, {}, training=False)
    ones = torch.ones(runs.members, 2, *network.shape, dtype=torch.float64, device=runs.device)
    stack = feature_major(ones)
    for layer in network.layers:
        if not isinstance(layer, Pointwise):
            stack = layer.apply(values, stack)
    found: np.ndarray = stack[..., 0].sum(1).cpu().numpy()
    return found


def _squared(network: Layered, parameters: Tensors) -> Tensors:
    """Weights such that a layer acts as the square of its matrix; biases are zero."""
    factors = {f"{one.name}.weight": one.factor for one in network.layers if isinstance(one, Linear)}
    return {
        name: value.square() * factors.get(name, 1.0) if name.endswith(".weight") else torch.zeros_like(value)
        for name, value in parameters.items()
    }


@torch.no_grad()
def _entropies(runs: Runs, on: str) -> np.ndarray:
    """Mean entropy of the predicted probabilities, in nats."""
    logs = runs.outputs(runs.split(on)[0]).double().log_softmax(1)
    found: np.ndarray = -(logs.exp() * logs).sum(1).mean(1).cpu().numpy()
    return found


def _steps(runs: Runs, row: int) -> dict[str, float]:
    """Steps of the training, and until an epoch's loss was low; NaN where that is not recorded."""
    if not runs.steps or not runs.history or not len(runs.history[row].get("train_loss", ())):
        return {"steps_to_loss": math.nan, "steps": math.nan}
    losses, epochs = (runs.history[row][name].numpy() for name in ("train_loss", "epoch"))
    low = np.flatnonzero(losses <= 0.1)
    per_epoch = runs.steps[row] / float(epochs[-1])
    reached = per_epoch * float(epochs[low[0]]) if len(low) else math.nan
    return {"steps_to_loss": reached, "steps": float(runs.steps[row])}
