"""Residual network."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Count, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
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
    layers: list[Layer] = [
        Conv("stem", shape[0], width, 3, padding=1, bias=False, law="kaiming"),
        image_norm("stem.norm", width, norm),
        Pointwise("relu"),
    ]
    inputs = width
    for stage in range(stages):
        for block in range(blocks):
            units = width * 2**stage
            stride = 2 if stage > 0 and block == 0 else 1
            layers += [_block(f"stage.{stage}.{block}", inputs, units, stride, norm), Pointwise("relu")]
            inputs = units
    layers += [GlobalAverage(), Linear("output", inputs, outputs)]
    return Layered(shape, outputs, tuple(layers))


def _block(name: str, inputs: int, outputs: int, stride: int, norm: Literal["group", "batch"]) -> Residual:
    body: tuple[Layer, ...] = (
        Conv(f"{name}.conv.0", inputs, outputs, 3, stride, padding=1, bias=False, law="kaiming"),
        image_norm(f"{name}.norm.0", outputs, norm),
        Pointwise("relu"),
        Conv(f"{name}.conv.1", outputs, outputs, 3, padding=1, bias=False, law="kaiming"),
        image_norm(f"{name}.norm.1", outputs, norm),
    )
    if stride == 1 and inputs == outputs:
        return Residual(body)
    shortcut = (
        Conv(f"{name}.shortcut", inputs, outputs, 1, stride, bias=False, law="kaiming"),
        image_norm(f"{name}.shortcut.norm", outputs, norm),
    )
    return Residual(body, shortcut)
