"""Prediction depth."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.drawn import WHOLE, classes
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"depth": "1 [example]", "mean": "1", "probe_accuracy": "1 [layer]"},
    shares=["probe_accuracy"],
    axes={
        "example": "place of the example in its split",
        "layer": "the inputs, then hidden layer or outputs, by name",
    },
    paper="baldock2021deep",
)
def prediction_depth(
    runs: Runs,
    *,
    on: SplitName = "test",
    neighbours: Count = 30,
    references: Count = 1000,
    examples: Count = 1000,
) -> dict[str, np.ndarray]:
    """After how many layers the network has made up its mind about an example.

    In each layer, the inputs (0) and the class probabilities (last) among them, an example is given the class
    that most of its k nearest training examples have (Euclidean distance; of equal counts the lowest class).
    `depth_i` is the number of the first layer from which on this class is the one that the network gives in
    the end (Baldock, Maennel and Neyshabur 2021, section 2.1): examples of small depth are easy. Where even
    the last layer's neighbours disagree with the network it is the number of layers. `probe_accuracy` is how
    often the neighbours in a layer give the true class.

    On the training set itself (`train`, `fit`, or `whole` that `subset` drew it from) an example is not its own
    neighbour. Evaluation mode; distances in float64 of
    float32 representations. Unchanged by rotations and scaling of a layer.

    Args:
        on: the split.
        neighbours: k; the paper takes 30.
        references: how many training examples neighbours are looked for among, the first ones.
        examples: how many examples of the split are looked at, the first ones.
    """
    known = min(references, runs.split("train")[0].shape[1])
    if known <= neighbours:
        raise Problem(
            "out-of-range",
            f"{neighbours} neighbours among {known} training examples are nearly all",
            help=f"neighbours={max(1, known // 10)}",
        )
    found = [_member(runs.select([m]), on, neighbours, known, examples) for m in range(runs.members)]
    depth, accuracy = (np.stack(values) for values in zip(*found, strict=True))
    names = list(hidden(runs.select([0]), runs.select([0]).split(on)[0][:, :1]))
    return {
        "depth": depth,
        "mean": depth.mean(1),
        "probe_accuracy": accuracy,
        "layer": np.array(["input", *names]),
    }


def _member(one: Runs, on: str, k: int, known: int, examples: int) -> tuple[np.ndarray, np.ndarray]:
    """Depths `(examples,)` and accuracies by layer of one member."""
    references, answers = (part[:, :known] for part in one.split("train"))
    inputs, targets = (part[:, :examples] for part in one.split(on))
    final = classes(one, on=on)[0, :examples].cpu().numpy()
    own = _own(one, on, known, inputs.shape[1])
    given = []
    for base, stack in zip(_layers(one, references), _layers(one, inputs), strict=True):
        nearest = _nearest(stack, base, k, own=own)
        votes = answers[0].cpu().numpy()[nearest]
        counts = (votes[:, :, None] == np.arange(one.network.outputs)).sum(1)
        given.append(counts.argmax(1))
    is_final = np.array([row == final for row in given])
    lasting = np.logical_and.accumulate(is_final[::-1]).sum(0)
    accuracy = np.array([(row == targets[0].cpu().numpy()).mean() for row in given])
    return len(given) - lasting, accuracy


def _own(one: Runs, on: str, known: int, examples: int) -> np.ndarray:
    """For each example its place among the first `known` training examples, -1 where it is none of them."""
    found = np.full(examples, -1)
    data = one.data[0]
    drawn = data.split("train").places
    if on == "train" or (on == "fit" and data.fit[0] == "train"):
        shared = np.arange(min(known, examples))
        found[shared] = shared
    elif on == WHOLE and drawn is not None:
        places = drawn.cpu().numpy()[:known]
        inside = places < examples
        found[places[inside]] = np.flatnonzero(inside)
    return found


def _layers(one: Runs, inputs: torch.Tensor) -> list[np.ndarray]:
    """`(examples, features)` of each layer, the outputs as probabilities."""
    stacks = [inputs.flatten(2).transpose(1, 2), *hidden(one, inputs).values()]
    rows = [stack[0].double() for stack in stacks]
    rows[-1] = rows[-1].softmax(0)
    return [row.cpu().numpy().T for row in rows]


def _nearest(points: np.ndarray, base: np.ndarray, k: int, *, own: np.ndarray) -> np.ndarray:
    """Places of the k nearest of `base`, `(points, k)`, but for a point's `own`; of equal distances the first."""
    found = np.empty((len(points), k), dtype=np.int64)
    for place, point in enumerate(points):
        squares = np.square(base - point).sum(1)
        if own[place] >= 0:
            squares[own[place]] = np.inf
        found[place] = np.argsort(squares, kind="stable")[:k]
    return found
