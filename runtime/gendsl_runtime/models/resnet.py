"""Residual network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from gendsl_runtime.component import Count, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv, is_large
from gendsl_runtime.train.layers.layer import Layer, Layered
from gendsl_runtime.train.layers.linear import Linear
from gendsl_runtime.train.layers.norm import image_norm
from gendsl_runtime.train.layers.pool import GlobalAverage
from gendsl_runtime.train.layers.residual import Residual


@model(version=1, takes="image", smallest=2, paper=["he2016deep", "ioffe2015batch", "wu2018group"])
def resnet(
    shape: tuple[int, ...],
    outputs: int,
    *,
    width: Count = 16,
    stages: Count = 3,
    blocks: Count = 1,
    norm: Literal["group", "batch"] = "group",
) -> Network:
    """A residual network for small images (He et al. 2016, section 4.2).

    A 3 x 3 convolution to `width` channels, `stages` stages of `blocks` basic blocks (two 3 x 3 convolutions
    with normalisation, rectified, plus the input), each stage after the first with twice the channels at
    half the resolution (a 1 x 1 convolution on the shortcut), a mean over all places and a linear output.
    Depth is `2 stages blocks + 2`: three stages of three blocks are ResNet-20. Convolutions start normal
    with variance `2 / fan out` and have no offsets (He et al. 2015); the output layer is uniform in
    `+-1/sqrt(fan in)`.

    Args:
        width: channels of the first stage.
        stages: stages, each at half the resolution of the one before.
        blocks: basic blocks of a stage.
        norm: `group` (8 groups; independent of the batch) or `batch` (running statistics in evaluation).
    """
    unit = partial(_unit, norm=norm, is_apart=is_large(width, width, 3, shape[1] * shape[2]))
    layers: list[Layer] = [*unit("stem", "stem.norm", shape[0], width, 3), Pointwise("relu")]
    inputs = width
    for stage in range(stages):
        for block in range(blocks):
            units = width * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            layers += [_block(f"stage.{stage}.{block}", inputs, units, stride, unit), Pointwise("relu")]
            inputs = units
    layers += [GlobalAverage(), Linear("output", inputs, outputs)]
    return Layered(shape, outputs, tuple(layers))


def _block(
    name: str, inputs: int, outputs: int, stride: int, unit: Callable[..., tuple[Layer, Layer]]
) -> Residual:
    body = (
        *unit(f"{name}.conv.0", f"{name}.norm.0", inputs, outputs, 3, stride),
        Pointwise("relu"),
        *unit(f"{name}.conv.1", f"{name}.norm.1", outputs, outputs, 3),
    )
    if stride == 1 and inputs == outputs:
        return Residual(body)
    return Residual(body, unit(f"{name}.shortcut", f"{name}.shortcut.norm", inputs, outputs, 1, stride))


def _unit(
    conv: str,
    name: str,
    inputs: int,
    outputs: int,
    size: int,
    stride: int = 1,
    *,
    norm: Literal["group", "batch"],
    is_apart: bool,
) -> tuple[Layer, Layer]:
    """A convolution without offsets and its normalisation."""
    return (
        Conv(
            conv,
            inputs,
            outputs,
            size,
            stride,
            padding=size // 2,
            bias=False,
            law="kaiming",
            is_apart=is_apart,
        ),
        image_norm(name, outputs, norm, is_apart=is_apart),
    )
