"""A network with outputs at a common scale."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Model, Positive, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.normalised import Normalised


@model(version=1, paper="chiang2023loss")
def normalised(
    shape: tuple[int, ...],
    outputs: int,
    net: Model,
    *,
    norm: Positive = 3.0,
    when: Literal["evaluation", "always"] = "evaluation",
) -> Network:
    """A network whose outputs are divided by the norms of its layers: `f(x) / prod_l (|W_l| / norm)`.

    A network of relu layers without offsets is homogeneous in each layer: weights twice as large make outputs twice as
    large and leave every prediction as it is, so a cross-entropy falls by growth alone. Divided by the product of the
    Frobenius norms, losses of networks found in different ways can be compared (Chiang et al. 2023, whose code takes
    `norm = 3`). Weights are all parameters of at least two sides, convolutions as a whole; offsets enter the outputs
    and not the product, so with offsets the loss still depends on the scale of weights to a degree.

    As `evaluation` a training takes its steps with the plain outputs, as in the paper, and everything that is
    measured, `stop` included, is measured with the normalised ones; the history is of the steps and so of plain
    losses. As `always` the training lowers the normalised loss itself. Predictions are the same in all cases.

    Args:
        net: the network whose outputs these are.
        norm: what each norm is divided by: the temperature of the outputs.
        when: `evaluation`, or `always`.

    Example:
        model scaled = normalised(mlp(hidden=[16], bias=false))
    """
    inner = net(shape, outputs)
    if not any(value.ndim > 2 for value in inner.init([0]).parameters.values()):
        raise Problem(
            "wrong-kind",
            "`normalised` takes a model with weights, and this one has none",
            help="give `mlp`, `cnn` or another of `gen list models`",
        )
    return Normalised(inner, float(norm), when == "always")
