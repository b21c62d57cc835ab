"""How far inputs are from the nearest decision boundary, by linearisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.measures.attacks import Norm, lengths
from gendsl_runtime.runs import Runs


@dataclass(frozen=True)
class Nearest:
    """For the linearised network at some inputs: the distance of the nearest boundary, `(members, examples)`, and the
    change that leads there, `(members, examples, *shape)`."""

    distance: Tensor
    change: Tensor


def nearest(runs: Runs, inputs: Tensor, targets: Tensor, norm: Norm) -> Nearest:
    """`min_c |f_y - f_c| / |grad (f_y - f_c)|_q` over classes c other than y, q dual to the norm, with signs such that
    the change leads across (Moosavi-Dezfooli et al. 2016, equations 8 and 10)."""
    leaf = inputs.detach().requires_grad_()
    with torch.enable_grad():
        outputs = runs.outputs(leaf)
        place = targets.unsqueeze(1)
        leads = outputs.gather(1, place) - outputs
        best: Nearest | None = None
        for other in range(outputs.shape[1]):
            (slope,) = torch.autograd.grad(leads[:, other].sum(), leaf, retain_graph=True)
            found = _to_boundary(leads[:, other].detach(), slope, targets == other, norm)
            if best is not None:
                nearer = found.distance < best.distance
                wide = nearer.reshape(*nearer.shape, *[1] * (inputs.ndim - 2))
                found = Nearest(
                    torch.where(nearer, found.distance, best.distance),
                    torch.where(wide, found.change, best.change),
                )
            best = found
    assert best is not None
    return best


def _to_boundary(lead: Tensor, slope: Tensor, is_itself: Tensor, norm: Norm) -> Nearest:
    """The way to where one class overtakes; infinite for the class itself, and where the gradient is nothing."""
    wide = (*lead.shape, *[1] * (slope.ndim - 2))
    flat = slope.flatten(2)
    size = flat.abs().sum(2) if norm == "linf" else torch.linalg.vector_norm(flat, dim=2)
    distance = torch.where(is_itself | (size == 0), torch.inf, lead.abs() / size)
    step = torch.where(distance.isfinite(), -lead / size, 0.0).reshape(wide)
    direction = slope.sign() if norm == "linf" else slope / lengths(slope).clamp_min(_tiny(slope))
    return Nearest(distance, step * direction)


def _tiny(tensor: Tensor) -> float:
    return float(torch.finfo(tensor.dtype).tiny)


def is_wrong(runs: Runs, inputs: Tensor, targets: Tensor) -> Tensor:
    """Whether the first of the largest outputs is another than the target, `(members, examples)`."""
    with torch.no_grad():
        return runs.outputs(inputs).max(1).indices != targets


def closest_mistake(
    runs: Runs, inputs: Tensor, targets: Tensor, *, norm: Norm, steps: int, overshoot: float, halvings: int
) -> Tensor:
    """Distance of the nearest mistake found on a way across the boundary, `(members, examples)`: 0 where the input is
    one, infinite where none was found.

    Steps to the nearest linearised boundary until the class changes, then halvings of the segment from the input to
    that point: what is returned is the distance of a point that is classified wrongly.
    """
    point, done = inputs.clone(), is_wrong(runs, inputs, targets)
    for _ in range(steps):
        if bool(done.all()):
            break
        change = nearest(runs, point, targets, norm).change * (1 + overshoot)
        point = torch.where(_wide(done, inputs), point, point + change)
        done = done | is_wrong(runs, point, targets)
    low, high = torch.zeros_like(done, dtype=inputs.dtype), torch.ones_like(done, dtype=inputs.dtype)
    way = point - inputs
    for _ in range(halvings):
        middle = (low + high) / 2
        wrong = is_wrong(runs, inputs + _wide(middle, inputs) * way, targets)
        high, low = torch.where(wrong, middle, high), torch.where(wrong, low, middle)
    full = way.flatten(2).abs().amax(2) if norm == "linf" else torch.linalg.vector_norm(way.flatten(2), dim=2)
    return torch.where(done, (high * full).double(), torch.inf)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(*values.shape, *[1] * (like.ndim - 2))
