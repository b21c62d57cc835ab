"""Gradients of single examples: their sizes, products and sums, without keeping them where the layers are known."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.layers import Record, has_records, records
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import CACHE, Runs

FEW = 64
"""Examples of a convolutional network recorded at once: the patches of all its layers take nine times the memory of its
activations or more. Fixed, because the bits of a product may depend on its width."""


def _has_images(runs: Runs) -> bool:
    return any(tensor.ndim > 3 for tensor in runs.state.parameters.values())


def _pieces(runs: Runs, inputs: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """A chunk in pieces whose records fit the memory."""
    size = FEW if _has_images(runs) else inputs.shape[1]
    return zip(torch.split(inputs, size, 1), torch.split(targets, size, 1), strict=True)


def parts(runs: Runs) -> Iterator[Runs]:
    """The stack in parts whose slopes are exact: slopes of grouped convolutions may round by the number of
    groups, so there each member goes alone."""
    if _has_images(runs):
        yield from (runs.select([member]) for member in range(runs.members))
    else:
        yield runs


def squared_norms(runs: Runs, inputs: Tensor, targets: Tensor) -> Tensor:
    """`|d loss_i / dw|^2` over all parameters, `(members, examples)`, float64.

    Of a dense layer it is `|x|^2 |d|^2 + |d|^2` with the inputs x and the slopes d of the outputs (Goodfellow
    2015), so no gradient is formed. Where a layer is not known by such factors the gradients are formed, a
    few at a time.
    """
    if has_records(runs.network):
        return torch.cat([_norms(runs, x, y) for x, y in _pieces(runs, inputs, targets)], dim=1)
    each = [_explicit(runs.select([m]), inputs[m], targets[m]) for m in range(runs.members)]
    return torch.stack([torch.cat([piece.square().sum(1) for piece in pieces]) for pieces in each])


def _norms(runs: Runs, inputs: Tensor, targets: Tensor) -> Tensor:
    found = [record.squared_norms().double() for record in records(runs, inputs, targets)]
    return sum(found[1:], start=found[0])


def gram(runs: Runs, inputs: Tensor, targets: Tensor) -> Tensor:
    """`<d loss_i / dw, d loss_j / dw>` over all parameters, `(members, examples, examples)`, float64."""
    if not has_records(runs.network):
        rows = [
            torch.cat(list(_explicit(runs.select([m]), inputs[m], targets[m]))) for m in range(runs.members)
        ]
        return torch.stack([own @ own.T for own in rows])
    found, first = [], 0
    for part in parts(runs):
        own = slice(first, first + part.members)
        first += part.members
        pieces = [_all_kept(part, x, y) for x, y in _pieces(part, inputs[own], targets[own])]
        found += [_products_of(each) for each in zip(*pieces, strict=True)]
    return torch.stack(found)


def _all_kept(runs: Runs, inputs: Tensor, targets: Tensor) -> list[list[Record | Tensor]]:
    """What the products need of each member's layers in one piece."""
    found = records(runs, inputs, targets)
    return [[_kept(record.of(member)) for record in found] for member in range(runs.members)]


def _products_of(pieces: tuple[list[Record | Tensor], ...]) -> Tensor:
    """Products of one member's gradients, summed over layers."""
    found = [_layer_gram(layer) for layer in zip(*pieces, strict=True)]
    return sum(found[1:], start=found[0])


def total(runs: Runs, *, on: str) -> Tensors:
    """The sum of the gradients of all examples of a split, for each member, float64 over chunks; `parts` says which
    stacks are exact."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    sums = {name: torch.zeros_like(tensor, dtype=torch.float64) for name, tensor in leaves.items()}
    for inputs, targets in runs.chunks(on):
        with torch.enable_grad():
            value = runs.losses(inputs, targets, leaves).sum()
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True, materialize_grads=True)
        for name, gradient in zip(sums, found, strict=True):
            sums[name] += gradient
    return sums


def along(runs: Runs, inputs: Tensor, direction: Tensors) -> tuple[Tensor, Tensor]:
    """Outputs and `J direction`, how they change as the parameters move; both `(members, classes, examples)`, float64.

    By reverse mode twice: `J^T v` is linear in v, and its derivative along the direction is `J direction`.
    """
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    with torch.enable_grad():
        outputs = runs.outputs(inputs, leaves)
        probe = torch.zeros_like(outputs, requires_grad=True)
        slopes = torch.autograd.grad(
            outputs,
            list(leaves.values()),
            probe,
            create_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
    pairs = [
        (slope, direction[name].to(slope.dtype))
        for name, slope in zip(leaves, slopes, strict=True)
        if slope.requires_grad
    ]
    (change,) = torch.autograd.grad([slope for slope, _ in pairs], probe, [move for _, move in pairs])
    return outputs.detach().double(), change.double()


def products(runs: Runs, direction: Tensors, *, on: str) -> Tensor:
    """`<d loss_i / dw, direction>` for every example of a split, `(members, examples)`, float64."""
    if has_records(runs.network):
        return torch.cat(
            [
                _by_records(runs, x, y, direction)
                for chunk in runs.chunks(on)
                for x, y in _pieces(runs, *chunk)
            ],
            dim=1,
        )
    each = []
    for member in range(runs.members):
        own = {name: value[[member]] for name, value in direction.items()}
        each.append(_by_movement(runs.select([member]), own, on=on))
    return torch.stack(each)


def _by_movement(one: Runs, direction: Tensors, *, on: str) -> Tensor:
    """The same for one member of any network, `(examples,)`."""
    found = []
    for inputs, targets in one.chunks(on):
        outputs, change = along(one, inputs, direction)
        leaf = outputs.to(inputs.dtype if inputs.is_floating_point() else torch.float32).requires_grad_()
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(one.loss(leaf, targets).sum(), leaf)
        found.append((slopes.double() * change).sum(1)[0])
    return torch.cat(found)


def _by_records(runs: Runs, inputs: Tensor, targets: Tensor, direction: Tensors) -> Tensor:
    """The same for one chunk: of a dense layer or a convolution `d . (V x)`, summed over places, member by member."""
    total = torch.zeros(inputs.shape[:2], dtype=torch.float64, device=inputs.device)
    for record in records(runs, inputs, targets):
        weights = direction[f"{record.name}.weight"].to(record.slopes)
        for member, (weight, x, d) in enumerate(zip(weights, record.inputs, record.slopes, strict=True)):
            if record.is_gain:
                change = weight[:, None, None] * x
            else:
                change = (weight.flatten(1) @ x.flatten(1)).view_as(d) * record.factor
            if record.bias_factor:
                bias = direction[f"{record.name}.bias"][member].to(d)
                change = change + bias[:, None, None] * record.bias_factor
            total[member] += (change * d).sum((0, 1), dtype=torch.float64)
    return total


def _kept(record: Record) -> Record | Tensor:
    """What a layer's products need of one piece: the two factors where there is one place, else the gradients
    `(n, numbers)`, which are smaller than patches."""
    if record.slopes.shape[2] == 1 and not record.is_gain:
        return record
    return torch.cat([values[0].flatten(1) for values in record.gradients().values()], 1)


def _layer_gram(pieces: tuple[Record | Tensor, ...]) -> Tensor:
    """Products within one layer of one member, `(N, N)`."""
    factors = [piece for piece in pieces if isinstance(piece, Record)]
    if factors:
        x, d = (
            torch.cat([getattr(piece, part)[0, :, 0] for piece in factors], 1).double()
            for part in ("inputs", "slopes")
        )
        first = factors[0]
        return (x.T @ x * first.factor**2 + first.bias_factor**2) * (d.T @ d)
    rows = torch.cat([piece for piece in pieces if isinstance(piece, Tensor)]).double()
    return rows @ rows.T


def _explicit(one: Runs, inputs: Tensor, targets: Tensor) -> Iterator[Tensor]:
    """Gradients `(few, parameters)`, float64: every example is given a copy of the network, as a member of its own."""
    size = max(1, int(CACHE // (4 * vectors.state_size(one.state))))
    for x, y in zip(torch.split(inputs, size), torch.split(targets, size), strict=True):
        copies = one.repeated(len(x))
        leaves = {name: tensor.detach().requires_grad_() for name, tensor in copies.state.parameters.items()}
        with torch.enable_grad():
            value = copies.losses(x.unsqueeze(1), y.unsqueeze(1), leaves).sum()
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True, materialize_grads=True)
        yield vectors.flat(dict(zip(leaves, found, strict=True))).double()
