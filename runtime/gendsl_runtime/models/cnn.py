"""Small convolutional network."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.norm import image_norm
from gendsl_runtime.train.layers.patches import written_out
from gendsl_runtime.train.layers.pool import Pool


@model(
    version=1,
    takes="image",
    smallest=2,
    paper=["lecun1998gradient", "ioffe2015batch", "wu2018group", "srivastava2014dropout"],
)
def cnn(
    shape: tuple[int, ...],
    outputs: int,
    *,
    channels: list[Count] = (8, 16),  # type: ignore[assignment]
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    size: Count = 3,
    activation: Literal["relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu"] = "relu",
    pool: Literal["max", "average"] = "max",
    norm: Literal["none", "batch", "group"] = "none",
    dropout: Share = 0.0,
) -> Network:
    """A convolutional network in the manner of LeNet-5 (LeCun et al. 1998).

    For each number of channels a convolution that keeps the size of the image (an even kernel adds one
    pixel), normalisation if any, the activation, and pooling by two; then fully connected layers. Images may
    have any number of channels. All weights and biases start uniform in `+-1/sqrt(fan in)`, as in torch.nn.

    Args:
        channels: channels of the convolutions; each halves the image, whose sides must be at least 2 to
        their number.
        hidden: widths of the fully connected layers before the output.
        size: side of the kernels, in pixels.
        activation: applied after every layer but the last.
        pool: `max` or `average`.
        norm: after each convolution `batch` (running statistics in evaluation), `group` (8 groups, fewer where
            the channels are no multiple of it; independent of the batch) or `none`.
        dropout: share of the units of each fully connected hidden layer that are zero at each step of
            training, rounded to 1/65536.
    """
    depth, height, width = shape
    layers: list[Layer] = []
    for name, units in zip(prefixes(len(channels), "conv"), channels, strict=True):
        conv = Conv(name, depth, units, size, padding=size // 2)
        layers.append(written_out(conv, height, width))
        layers += [] if norm == "none" else [image_norm(f"{name}.norm", units, norm)]
        layers += [Pointwise(activation), Pool(2, pool)]
        height, width, depth = (height + 1 - size % 2) // 2, (width + 1 - size % 2) // 2, units
    if min(height, width) < 1:
        raise Problem(
            "wrong-shape",
            f"an image of {shape[1]} x {shape[2]} pixels cannot be halved {len(channels)} times",
            help="give fewer `channels`, or larger images",
        )
    layers.append(Flatten(after_images=True))
    features = depth * height * width
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        layers += [Linear(name, features, units), Pointwise(activation)]
        layers += [Dropout(f"{name}.dropout", dropout)] if dropout else []
        features = units
    layers.append(Linear("output", features, outputs))
    return Layered(shape, outputs, tuple(layers))
