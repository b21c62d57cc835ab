"""Normalisation of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import group_norm

from gendsl_runtime.train.layers.image import apart, channel_rows, from_channel_rows, wide
from gendsl_runtime.train.layers.layer import Fresh, Pass

EPSILON = 1e-5
"""Added to variances, as in torch.nn."""


@dataclass(frozen=True)
class GroupNorm:
    """Zero mean and unit variance over each group of channels of each example, then a learnt scale and
    offset.

    Wu and He (2018). The stack is one image with `members * groups` groups, in plain memory: the
    channels-last kernel gives other bits to other numbers of members.
    """

    name: str
    channels: int
    groups: int

    def parameters(self) -> Mapping[str, Fresh]:
        return _affine(self.name, self.channels)

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        scale, offset = (values.parameters[f"{self.name}.{part}"].flatten() for part in ("weight", "bias"))
        members = len(inputs)
        images = group_norm(wide(inputs).contiguous(), members * self.groups, scale, offset, EPSILON)
        return apart(images, members)


@dataclass(frozen=True)
class BatchNorm:
    """Zero mean and unit variance over the batch, then a learnt scale and offset (Ioffe and Szegedy 2015).

    In evaluation, running statistics stand in, which move by a tenth each step; the running variance is the
    unbiased one, as in `torch.nn.BatchNorm2d`.
    """

    name: str
    channels: int
    momentum: float = 0.1

    def parameters(self) -> Mapping[str, Fresh]:
        return _affine(self.name, self.channels)

    def buffers(self) -> Mapping[str, Fresh]:
        return {
            f"{self.name}.running_mean": Fresh((self.channels,), "constant", 0.0),
            f"{self.name}.running_var": Fresh((self.channels,), "constant", 1.0),
        }

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        scale, offset = (values.parameters[f"{self.name}.{part}"].flatten() for part in ("weight", "bias"))
        rows = channel_rows(inputs)
        mean, variance = self._moments(values, rows)
        factor = scale * (variance + EPSILON).rsqrt()
        return from_channel_rows((rows - mean[:, None]) * factor[:, None] + offset[:, None], inputs.shape)

    def _moments(self, values: Pass, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel `(M * C,)`: of the batch in training, else the running ones.

        By row sums, not `torch.batch_norm`, whose bits depend on the number of channels in all.
        """
        running = [values.buffers[f"{self.name}.running_{moment}"] for moment in ("mean", "var")]
        if not values.training:
            return running[0].flatten(), running[1].flatten()
        mean = rows.mean(1)
        variance = (rows - mean[:, None]).square().mean(1)
        with torch.no_grad():
            unbiased = variance * (rows.shape[1] / max(1, rows.shape[1] - 1))
            for moment, old, new in zip(("mean", "var"), running, (mean, unbiased), strict=True):
                moved = old * (1 - self.momentum) + new.view_as(old) * self.momentum
                values.updates[f"{self.name}.running_{moment}"] = moved
        return mean, variance


def _affine(name: str, channels: int) -> Mapping[str, Fresh]:
    return {
        f"{name}.weight": Fresh((channels,), "constant", 1.0),
        f"{name}.bias": Fresh((channels,), "constant", 0.0),
    }
