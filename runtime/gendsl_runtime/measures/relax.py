"""Two lines between which an activation stays on an interval (Zhang et al. 2018, tables 2 and 3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.train.layers.activation import BY_INPUT, FUNCTIONS

HALVINGS = 60
"""Of the interval that holds the point of a tangent: to the end of float64."""


class Lines(NamedTuple):
    """`low_slope x + low_offset <= s(x) <= high_slope x + high_offset` on each interval, `(examples, units)`."""

    low_slope: Tensor
    low_offset: Tensor
    high_slope: Tensor
    high_offset: Tensor


def relaxed(name: str, low: Tensor, high: Tensor) -> Lines:
    """The lines for an activation on `[low, high]`; ends that rounding has put in the wrong order are turned over."""
    return RELAXED[name](name, torch.minimum(low, high), torch.maximum(low, high))


def _hinge(name: str, low: Tensor, high: Tensor) -> Lines:
    """relu and leaky_relu: the chord above; below, the slope of the side that the interval lies on for the most."""
    least = 0.01 if name == "leaky_relu" else 0.0
    function = FUNCTIONS[name]
    width = (high - low).clamp_min(torch.finfo(low.dtype).tiny)
    chord = (function(high) - function(low)) / width
    steep, shallow = torch.ones_like(low), torch.full_like(low, least)
    slope = torch.where(low >= 0, steep, torch.where(high <= 0, shallow, chord))
    offset = torch.where((low < 0) & (high > 0), function(high) - slope * high, 0.0)
    below = torch.where(high > -low, steep, shallow)
    below = torch.where(low >= 0, steep, torch.where(high <= 0, shallow, below))
    return Lines(below, torch.zeros_like(low), slope, offset)


def _sigmoidal(name: str, low: Tensor, high: Tensor) -> Lines:
    """tanh and erf, which are odd: the line below is that above the mirrored interval."""
    above = _above(name, low, high)
    mirrored = _above(name, -high, -low)
    return Lines(mirrored[0], -mirrored[1], above[0], above[1])


def _above(name: str, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and offset of a line that is not below an S-shaped function, convex for x < 0 and concave for x > 0.

    Where the interval is concave, the tangent in its middle; where no tangent from the lower end touches within the
    interval, the chord; else that tangent. Halving keeps the side on which the tangent passes above the lower end.
    """
    function = FUNCTIONS[name]
    near, far = torch.zeros_like(high), high.clamp_min(0.0)
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        is_above = function(middle) + _slope(name, middle) * (low - middle) >= function(low)
        near, far = torch.where(is_above, near, middle), torch.where(is_above, middle, far)
    point = torch.where(low >= 0, (low + high) / 2, far)
    has_tangent = (low >= 0) | (function(high) + _slope(name, high) * (low - high) >= function(low)) & (
        high > 0
    )
    width = (high - low).clamp_min(torch.finfo(low.dtype).tiny)
    # On an interval as narrow as rounding the quotient is anything; no chord is steeper than the function at zero.
    chord = ((function(high) - function(low)) / width).clamp(
        min=torch.zeros_like(low), max=_slope(name, 0 * low)
    )
    slope = torch.where(has_tangent, _slope(name, point), chord)
    touched = torch.where(has_tangent, point, high)
    return slope, function(touched) - slope * touched


def _slope(name: str, x: Tensor) -> Tensor:
    return 1 - torch.tanh(x).square() if name == "tanh" else BY_INPUT[name](x)


RELAXED = {"relu": _hinge, "leaky_relu": _hinge, "tanh": _sigmoidal, "erf": _sigmoidal}
"""How each activation is held between lines; all of them are monotone."""
