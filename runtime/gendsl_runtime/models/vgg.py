"""Deep plain convolutional network."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, Share, model
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv, is_large
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, prefixes
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.norm import image_norm
from gendsl_runtime.train.layers.pool import Pool

WIDEST = 8
"""Channels double up to this many times those of the first stage: 64 to 512 in the paper."""


@model(
    version=1,
    takes="image",
    smallest=2,
    paper=["simonyan2015very", "ioffe2015batch", "wu2018group", "srivastava2014dropout"],
)
def vgg(
    shape: tuple[int, ...],
    outputs: int,
    *,
    width: Count = 16,
    stages: Count = 3,
    depth: Count = 2,
    hidden: list[Count] = (64,),  # type: ignore[assignment]
    norm: Literal["none", "batch", "group"] = "none",
    dropout: Share = 0.0,
) -> Network:
    """A network in the manner of VGG (Simonyan and Zisserman 2015, table 1) for small images.

    Each stage is `depth` convolutions of 3 x 3 that keep the size of the image, each rectified, and max
    pooling by two; a stage has twice the channels of the one before, up to eight times `width`. Rectified
    fully connected layers and a linear output follow. The paper's configuration B is `width = 64, stages = 5,
    depth = 2, hidden = [4096, 4096], dropout = 50%`. Convolutions start normal with variance `2 / fan out` and
    offsets at zero (He et al. 2015), other layers uniform in `+-1/sqrt(fan in)`.

    Args:
        width: channels of the first stage.
        stages: how often the image is halved; its sides must be at least 2 to their number.
        depth: convolutions of a stage.
        hidden: widths of the fully connected layers before the output.
        norm: after each convolution `batch` (running statistics in evaluation), `group` (8 groups, fewer where
            the channels are no multiple of it; independent of the batch) or `none`.
        dropout: share of the units of each fully connected hidden layer that are zero at each step of
            training, rounded to 1/65536.
    """
    if min(shape[1:]) < 2**stages:
        raise Problem(
            "wrong-shape",
            f"an image of {shape[1]} x {shape[2]} pixels cannot be halved {stages} times",
            help="give fewer `stages`, or larger images",
        )
    layers: list[Layer] = []
    inputs = shape[0]
    is_apart = is_large(width, width, 3, shape[1] * shape[2])
    for stage in range(stages):
        units = width * min(2**stage, WIDEST)
        for name in prefixes(depth, f"stage.{stage}"):
            layers.append(Conv(name, inputs, units, 3, padding=1, law="kaiming", is_apart=is_apart))
            layers += [] if norm == "none" else [image_norm(f"{name}.norm", units, norm, is_apart=is_apart)]
            layers.append(Pointwise("relu"))
            inputs = units
        layers.append(Pool(2))
    layers.append(Flatten(after_images=True))
    features = inputs * (shape[1] >> stages) * (shape[2] >> stages)
    for name, units in zip(prefixes(len(hidden), "hidden"), hidden, strict=True):
        layers += [Linear(name, features, units), Pointwise("relu")]
        layers += [Dropout(f"{name}.dropout", dropout)] if dropout else []
        features = units
    return Layered(shape, outputs, (*layers, Linear("output", features, outputs)))
