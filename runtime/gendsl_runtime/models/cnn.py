"""Small convolutional network."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.pool import Pool


@model(version=1, takes="image", smallest=2, paper="lecun1998gradient")
def cnn(
    shape: tuple[int, ...],
    outputs: int,
    *,
    channels: list[Count] = (8, 16),  # type: ignore[assignment]
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    size: Count = 3,
    activation: Literal["relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu"] = "relu",
    pool: Literal["max", "average"] = "max",
) -> Network:
    """A convolutional network in the manner of LeNet-5 (LeCun et al. 1998).

    For each number of channels a convolution that keeps the size of the image (an even kernel adds one
    pixel), the activation, and pooling by two; then fully connected layers. Images may have any number of
    channels. All weights and biases start uniform in `+-1/sqrt(fan in)`, as in torch.nn.

    Args:
        channels: channels of the convolutions; each halves the image, whose sides must be at least 2 to
        their number.
        hidden: widths of the fully connected layers before the output.
        size: side of the kernels, in pixels.
        activation: applied after every layer but the last.
        pool: `max` or `average`.
    """
    depth, height, width = shape
    layers: list[Layer] = []
    for name, units in zip(prefixes(len(channels), "conv"), channels, strict=True):
        layers += [Conv(name, depth, units, size, padding=size // 2), Pointwise(activation), Pool(2, pool)]
        height, width, depth = (height + 1 - size % 2) // 2, (width + 1 - size % 2) // 2, units
    if min(height, width) < 1:
        raise Problem(
            "wrong-shape",
            f"an image of {shape[1]} x {shape[2]} pixels cannot be halved {len(channels)} times",
            help="give fewer `channels`, or larger images",
        )
    layers.append(Flatten())
    features = depth * height * width
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        layers += [Linear(name, features, units), Pointwise(activation)]
        features = units
    layers.append(Linear("output", features, outputs))
    return Layered(shape, outputs, tuple(layers))
