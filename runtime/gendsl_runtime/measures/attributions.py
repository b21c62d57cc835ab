"""Which numbers of an input an output depends on."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.layers import layer_names
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass, feature_major

Explained = Literal["label", "predicted"]
Score = Literal["logit", "probability"]
Baseline = Literal["zero", "mean"]


def first(runs: Runs, split: str, count: int) -> tuple[Tensor, Tensor]:
    """The first `count` examples of a split, fewer where there are no more."""
    inputs, targets = runs.split(split)
    return inputs[:, :count], targets[:, :count]


def explained(runs: Runs, inputs: Tensor, targets: Tensor, of: Explained) -> Tensor:
    """The class that is explained for each example, `(members, examples)`."""
    if of == "label":
        return targets
    with torch.no_grad():
        return runs.outputs(inputs).max(1).indices


def baseline(runs: Runs, split: str, kind: Baseline, like: Tensor) -> Tensor:
    """Where nothing is said to be present, `(members, 1, *shape)`."""
    if kind == "zero":
        return torch.zeros_like(like[:, :1])
    return runs.split(split)[0].double().mean(1, keepdim=True).to(like)


def score(outputs: Tensor, classes: Tensor, kind: Score) -> Tensor:
    """The explained number of each example `(members, examples)`, from outputs `(members, classes, examples)`."""
    values = outputs if kind == "logit" else outputs.softmax(1)
    return values.gather(1, classes.unsqueeze(1))[:, 0]


def gradient(runs: Runs, inputs: Tensor, classes: Tensor, kind: Score) -> tuple[Tensor, Tensor]:
    """The score and its slopes by the inputs, `(members, examples)` and `(members, examples, *shape)`."""
    with torch.enable_grad():
        leaf = inputs.detach().requires_grad_()
        found = score(runs.outputs(leaf), classes, kind)
        (slopes,) = torch.autograd.grad(found.sum(), leaf)
    return found.detach(), slopes


def pictures(values: Tensor) -> Tensor:
    """`(members, examples, *shape)` as `(members, examples, y, x)`: channels of images summed; the numbers of a vector
    in one row, the steps of a sequence in rows."""
    if values.ndim == 5:
        return values.sum(2)
    return values.unsqueeze(2) if values.ndim == 3 else values


def ticks(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The coordinates of `pictures`."""
    height, width = (1, *shape) if len(shape) == 1 else shape[-2:]
    return {"y": np.arange(height), "x": np.arange(width)}


class Halves:
    """A network cut after one of its hidden layers."""

    def __init__(self, runs: Runs, layer: str | None) -> None:
        """`layer` is one that `hidden` names, the last hidden one where nothing is said. Raises Problem for another."""
        names = layer_names(runs.network)
        self.name = (names[-2] if len(names) > 1 else "") if layer is None else layer
        if self.name not in names[:-1]:
            found = f"there is no hidden layer `{self.name}`" if layer else "the network has no hidden layer"
            known = ", ".join(f"`{name}`" for name in names[:-1])
            raise Problem("unknown-layer", found, help=f"its hidden layers are {known}" if known else None)
        self._values = Pass(runs.state.parameters, runs.state.buffers, training=False)
        layers = runs.network.layers if isinstance(runs.network, Layered) else ()
        place = _end(layers, names, self.name)
        self._head, self._tail = layers[:place], layers[place:]

    def hidden(self, inputs: Tensor) -> Tensor:
        """What the layer hands on, `(members, features, ..., examples)`."""
        return self._through(self._head, feature_major(inputs))

    def outputs(self, hidden: Tensor) -> Tensor:
        """What the rest makes of it, `(members, classes, examples)`."""
        return self._through(self._tail, hidden)

    def _through(self, layers: tuple[Layer, ...], stack: Tensor) -> Tensor:
        for layer in layers:
            stack = layer.apply(self._values, stack)
        return stack


def _end(layers: tuple[Layer, ...], names: tuple[str, ...], name: str) -> int:
    """The place of the first layer that belongs to what comes after `name`."""
    follower = names[names.index(name) + 1]

    def is_its(layer: Layer) -> bool:
        values = {**layer.parameters(), **layer.buffers()}
        return any(value == follower or value.startswith(f"{follower}.") for value in values)

    return next(place for place, layer in enumerate(layers) if is_its(layer))
