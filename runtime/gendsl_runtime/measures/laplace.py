"""Laplace's approximation of a trained network: evidence, its maximum over prior and noise, and predictions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from scipy.optimize import brentq
from torch import Tensor

from gendsl_runtime.measures.blocks import (
    Block,
    dense_layer_variances,
    draw,
    log_determinant,
    size,
    variances,
)
from gendsl_runtime.measures.gauss_newton import Structure, blocks, jacobians
from gendsl_runtime.measures.layers import Record, has_records, traced
from gendsl_runtime.measures.outputs import linearised
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

Tune = Literal["none", "prior", "both"]
REACH = 1e12
"""Precisions of the prior that are looked at lie from 1 / REACH to REACH; with the noise, those in units of its own."""


@dataclass(frozen=True)
class Laplace:
    """A Gaussian around the weights of one member, with the prior `N(0, I / precision)` on the parameters of the
    blocks and, for a regression, normal noise of standard deviation `noise`."""

    blocks: tuple[Block, ...]
    fit: float
    """Log-likelihood of a classification; of a regression the sum of squared differences."""
    count: int
    """Numbers predicted in a regression, examples times outputs; 0 for a classification."""
    squares: float
    """Sum of the squared weights in the blocks."""
    precision: float
    noise: float

    @property
    def scale(self) -> float:
        """What H is multiplied by: it is that of unit noise."""
        return 1 / self.noise**2 if self.count else 1.0

    @property
    def parameters(self) -> int:
        """How many the blocks hold."""
        return sum(size(block) for block in self.blocks)

    @property
    def log_likelihood(self) -> float:
        """Of the data at the trained weights."""
        if not self.count:
            return self.fit
        return -0.5 * self.fit * self.scale - self.count / 2 * math.log(2 * math.pi * self.noise**2)

    @property
    def log_evidence(self) -> float:
        """`log p(y | w) - precision |w|^2 / 2 + size / 2 log precision - log det(scale H + precision I) / 2`."""
        determinant = log_determinant(list(self.blocks), scale=self.scale, precision=self.precision)
        prior = self.parameters * math.log(self.precision) - self.precision * self.squares
        return self.log_likelihood + (prior - determinant) / 2

    @property
    def effective(self) -> float:
        """MacKay's number of well-determined parameters, `sum e / (e + precision)` over eigenvalues e of `scale H`."""
        values = [self.scale * block.values for block in self.blocks]
        return float(sum((value / (value + self.precision)).sum() for value in values))

    def tuned(self, tune: Tune) -> Laplace:
        """The same at the prior precision (and noise) of the largest evidence, the weights held.

        With the noise s held the derivative of the evidence by `log a` is half of `sum e / (e + a) - a |w|^2` over the
        eigenvalues e of `H / s^2`. With both free, in `r = a s^2` and the eigenvalues h of H, the best noise is `s^2 =
        (R + r |w|^2) / n`, R the sum of squared differences of n numbers, and the derivative by `log r` is half of
        `sum h / (h + r) - n r |w|^2 / (R + r |w|^2)`. Both fall from left to right: one maximum, found by bisection
        and interpolation (Brent). Where it lies beyond 1 / `REACH` or `REACH` the end is taken.
        """
        if tune == "none":
            return self
        is_both = tune == "both" and self.count > 0 and self.fit + self.squares > 0
        values = torch.cat([block.values for block in self.blocks]).cpu().numpy()
        values = values if is_both else self.scale * values

        def slope(place: float) -> float:
            at = math.exp(place)
            pull = at * self.squares
            pull = self.count * pull / (self.fit + pull) if is_both else pull
            return float((values / (values + at)).sum() - pull)

        best = math.exp(_crossing(slope))
        if not is_both:
            return replace(self, precision=best)
        square = (self.fit + best * self.squares) / self.count
        return replace(self, precision=best / square, noise=math.sqrt(square))


def _crossing(slope: Callable[[float], float]) -> float:
    """Where a falling function is zero between `-log REACH` and `log REACH`, or the end nearer to that."""
    edge = math.log(REACH)
    if slope(-edge) <= 0:
        return -edge
    if slope(edge) >= 0:
        return edge
    return float(brentq(slope, -edge, edge, xtol=1e-12))


def laplace(runs: Runs, *, on: str, structure: Structure, precision: float, noise: float) -> list[Laplace]:
    """The approximation for each member at its trained weights."""
    values = runs.state.parameters
    found = []
    for member, (own, (fit, count)) in enumerate(
        zip(blocks(runs, on=on, structure=structure), _fits(runs, on), strict=True)
    ):
        names = [name for block in own for name in block.shapes]
        squares = sum(float(values[name][member].double().square().sum()) for name in names)
        found.append(Laplace(tuple(own), fit, count, squares, precision, noise))
    return found


@torch.no_grad()
def _fits(runs: Runs, on: str) -> list[tuple[float, int]]:
    """For each member what `fit` and `count` say."""
    is_classification = runs.data[0].task == "classification"
    totals, count = [0.0] * runs.members, 0
    for inputs, targets in runs.chunks(on):
        outputs = runs.outputs(inputs).double()
        if is_classification:
            each = torch.log_softmax(outputs, 1).gather(1, targets[:, None])
        else:
            each = (outputs - targets.double().transpose(1, 2)).square()
            count += outputs[0].numel()
        totals = [total + float(own.sum()) for total, own in zip(totals, each.unbind(), strict=True)]
    return [(total, count) for total in totals]


# --- predictions --------------------------------------------------------------------------------------------


def output_variances(runs: Runs, inputs: Tensor, posterior: Laplace) -> Tensor:
    """Variances of the linearised outputs `diag(J S J^T)`, `(outputs, N)`, float64."""
    given = {"scale": posterior.scale, "precision": posterior.precision}
    by_name = {next(iter(block.shapes)): block for block in posterior.blocks}
    is_whole = sum(len(block.shapes) for block in posterior.blocks) == len(runs.state.parameters)
    is_single = is_whole and all(len(block.shapes) == 1 for block in posterior.blocks)
    is_layered = is_single and has_records(runs.network)
    if not is_layered:
        return _row_variances(runs, inputs, posterior)
    trace = traced(runs, inputs)
    units = torch.eye(trace.outputs.shape[1], dtype=trace.outputs.dtype, device=trace.outputs.device)
    found = []
    for place, unit in enumerate(units):
        total = torch.zeros(inputs.shape[1], dtype=torch.float64, device=inputs.device)
        slopes = unit[None, :, None].expand_as(trace.outputs).contiguous()
        for record in trace.records(slopes, is_last=place == len(units) - 1):
            weight = by_name[f"{record.name}.weight"]
            quick = dense_layer_variances(weight, record, **given)
            for name, gradient in (record.gradients() if quick is None else _bias(record)).items():
                total += variances(by_name[name], gradient[0].flatten(1).double(), **given)
            total += 0.0 if quick is None else quick
        found.append(total)
    return torch.stack(found)


def _bias(record: Record) -> Tensors:
    """The gradient of a dense layer's bias alone."""
    if not record.bias_factor:
        return {}
    return {f"{record.name}.bias": record.slopes.sum(2).transpose(1, 2) * record.bias_factor}


def _row_variances(runs: Runs, inputs: Tensor, posterior: Laplace) -> Tensor:
    names = [name for block in posterior.blocks for name in block.shapes]
    sizes = [size(block) for block in posterior.blocks]
    found = []
    for jacobian in jacobians(runs, inputs, names):
        rows = jacobian.flatten(0, 1)
        parts = zip(posterior.blocks, torch.split(rows, sizes, dim=1), strict=True)
        total = sum(
            variances(block, part, scale=posterior.scale, precision=posterior.precision)
            for block, part in parts
        )
        assert isinstance(total, Tensor)
        found.append(total.reshape(jacobian.shape[:2]))
    return torch.cat(found).T


def sampled_outputs(runs: Runs, inputs: Tensor, posterior: Laplace, *, samples: int) -> Tensor:
    """Linearised outputs `f(x) + J(x) (w_s - w)` of draws of the weights, `(samples, outputs, N)`, float64.

    One draw of all weights goes through all examples: the outputs are those of functions.
    """
    stream = generator("laplace", runs.seeds[0])
    noise = {
        place: stream.standard_normal((samples, size(block))) for place, block in enumerate(posterior.blocks)
    }
    parameters = runs.state.parameters
    found = []
    for piece in torch.split(inputs, 512, dim=1):
        linear = linearised(runs, piece, lambda outputs: lambda v: v)
        outputs = linear.outputs.detach().double()
        found.append(
            torch.cat([outputs + linear.push(offset) for offset in _offsets(posterior, noise, parameters)])
        )
    return torch.cat(found, dim=2)


def _offsets(posterior: Laplace, noise: dict[int, np.ndarray], parameters: Tensors) -> list[Tensor]:
    """Draws of the weights less the trained ones, each `(1, size)` in the order of the parameters."""
    drawn: Tensors = {}
    for place, block in enumerate(posterior.blocks):
        rows = torch.from_numpy(noise[place]).to(block.values)
        drawn |= draw(block, rows, scale=posterior.scale, precision=posterior.precision)
    count = len(next(iter(noise.values())))
    whole = [
        drawn[name].flatten(1) if name in drawn else torch.zeros(count, value[0].numel(), dtype=torch.float64)
        for name, value in parameters.items()
    ]
    return list(torch.cat(whole, dim=1).unsqueeze(1))


def check_loss(runs: Runs, *, measure: str) -> None:
    """Refuses a loss that is no log-likelihood of these measures: hinge, smoothed labels, squares of classes."""
    function = getattr(runs.loss, "function", runs.loss)
    name = getattr(function, "__name__", "")
    wanted = "cross_entropy" if runs.data[0].task == "classification" else "mse"
    is_smoothed = bool(getattr(runs.loss, "own", {}))
    if name in ("hinge", "mse", "cross_entropy") and (name != wanted or is_smoothed):
        raise Problem(
            "wrong-loss",
            f"`{measure}` needs weights trained with `{wanted}`, and these were with "
            f"{'smoothed labels' if is_smoothed else f'`{name}`'}",
            help=f"write `loss = {wanted}` in the training",
        )
