"""Normalisation over groups of channels and over the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, group_norm

from gendsl_runtime.train.layers.image import apart, members_of, together, wide
from gendsl_runtime.train.layers.layer import Fresh, Pass

GROUPS = 8
"""Groups of channels in GroupNorm, fewer where the channels are no multiple of it."""
EPSILON = 1e-5
"""Added to variances, as in torch.nn."""


@dataclass(frozen=True)
class GroupNorm:
    """Zero mean and unit variance over each group of channels of each example, then a learnt scale and
    offset.

    Wu and He (2018). The stack is one image with `members * groups` groups, in plain memory: the
    channels-last kernel gives other bits to other numbers of members, so with `is_apart` it gets one member
    at a time.
    """

    name: str
    channels: int
    groups: int
    is_apart: bool = False

    def parameters(self) -> Mapping[str, Fresh]:
        return _affine(self.name, self.channels)

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        scales, offsets = (values.parameters[f"{self.name}.{part}"] for part in ("weight", "bias"))
        members = len(inputs)
        if self.is_apart:
            each = zip(members_of(inputs), scales.unbind(0), offsets.unbind(0), strict=True)
            return together(
                [group_norm(own, self.groups, scale, offset, EPSILON) for own, scale, offset in each]
            )
        plain = wide(inputs).contiguous()
        images = group_norm(plain, members * self.groups, scales.flatten(), offsets.flatten(), EPSILON)
        return apart(images, members)


@dataclass(frozen=True)
class BatchNorm:
    """Zero mean and unit variance over the batch, then a learnt scale and offset (Ioffe and Szegedy 2015).

    In evaluation, running statistics stand in, which move by a tenth each step; the running variance is the
    unbiased one, as in `torch.nn.BatchNorm2d`. Inputs are images or vectors `(members, features, examples)`.
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
        if inputs.ndim == 5 and values.training:
            if inputs[0, 0].numel() > 1:
                return self._each(values, inputs)
            # One pixel of one example, for which torch has no moments.
            return self.apply(values, inputs.flatten(2)).view(inputs.shape)
        places = (len(inputs), self.channels) + (1,) * (inputs.ndim - 2)
        scale, offset = (values.parameters[f"{self.name}.{part}"].view(places) for part in ("weight", "bias"))
        mean, variance = (moment.view(places) for moment in self._moments(values, inputs))
        return (inputs - mean) * (scale * (variance + EPSILON).rsqrt()) + offset

    def _moments(self, values: Pass, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each feature `(M, C)`: of the batch in training, else the running ones.

        By sums along rows of examples, not `torch.batch_norm`, whose bits depend on the number of channels in
        all.
        """
        if not values.training:
            return self._running(values)
        mean = inputs.mean(2)
        variance = (inputs - mean[:, :, None]).square().mean(2)
        with torch.no_grad():
            examples = inputs.shape[2]
            self._moved(values, mean, variance * (examples / max(1, examples - 1)))
        return mean, variance

    def _each(self, values: Pass, inputs: Tensor) -> Tensor:
        """Images, a member at a time: of its own channels alone torch's bits are its own."""
        parts = [values.parameters[f"{self.name}.{part}"].unbind(0) for part in ("weight", "bias")]
        moments = [torch.zeros_like(moment) for moment in self._running(values)]
        images = [
            # With momentum 1 the running moments become those of the batch.
            batch_norm(own, mean, variance, scale, offset, True, 1.0, EPSILON)
            for own, mean, variance, scale, offset in zip(members_of(inputs), *moments, *parts, strict=True)
        ]
        self._moved(values, *moments)
        return together(images)

    def _running(self, values: Pass) -> tuple[Tensor, Tensor]:
        return values.buffers[f"{self.name}.running_mean"], values.buffers[f"{self.name}.running_var"]

    def _moved(self, values: Pass, mean: Tensor, variance: Tensor) -> None:
        """The running moments, a tenth of the way to these."""
        for moment, old, new in zip(("mean", "var"), self._running(values), (mean, variance), strict=True):
            values.updates[f"{self.name}.running_{moment}"] = old * (1 - self.momentum) + new * self.momentum


def image_norm(
    name: str, channels: int, kind: Literal["batch", "group"], *, is_apart: bool = False
) -> BatchNorm | GroupNorm:
    """The normalisation of a convolution's outputs; groups of channels are 8, or as many as divide both."""
    if kind == "batch":
        return BatchNorm(name, channels)
    return GroupNorm(name, channels, gcd(GROUPS, channels), is_apart)


def _affine(name: str, channels: int) -> Mapping[str, Fresh]:
    return {
        f"{name}.weight": Fresh((channels,), "constant", 1.0),
        f"{name}.bias": Fresh((channels,), "constant", 0.0),
    }
