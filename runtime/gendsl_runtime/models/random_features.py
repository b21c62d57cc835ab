"""Random features."""

from __future__ import annotations

import math
from math import prod
from typing import Literal

from gendsl_runtime.component import Count, Positive, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import FixedLinear, Flatten, Linear, Scaled


@model(version=1, paper=["rahimi2007random", "belkin2019reconciling"])
def random_features(
    shape: tuple[int, ...],
    outputs: int,
    *,
    features: Count = 512,
    activation: Literal["relu", "cos"] = "relu",
    bandwidth: Positive = 1.0,
) -> Network:
    """A linear readout of fixed random features of the flattened input: a convex problem of any width.

    `relu`: `phi(x) = sqrt(2 / D) relu(W x)` with W normal of variance `1 / (bandwidth^2 inputs)`. `cos`:
    `phi(x) = sqrt(2 / D) cos(W x + b)` with the same W and b uniform in `+-pi`, whose inner products tend to
    the Gaussian kernel `exp(-|x - y|^2 / (2 bandwidth^2 inputs))` (Rahimi and Recht 2007). D is the number
    of features. Only the readout, which has no offset, is trained; it starts at zero, so that gradient
    descent on squares finds the interpolator of least norm (double descent: Belkin et al. 2019).

    Args:
        features: D.
        activation: `relu` or `cos`.
        bandwidth: length scale of the features, in units of the root mean square distance of an input of unit
            variance from zero.
    """
    inputs = prod(shape)
    spread = math.pi if activation == "cos" else 0.0
    return Layered(
        shape,
        outputs,
        (
            Flatten(),
            FixedLinear("features", inputs, features, 1 / (bandwidth * math.sqrt(inputs)), spread),
            Pointwise(activation),
            Scaled(math.sqrt(2 / features)),
            Linear("output", features, outputs, bias=False, law="zero"),
        ),
    )
