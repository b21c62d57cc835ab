"""Fixed functions of single numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.train.layers.layer import Pass, Plain

Family = Literal["legendre", "powers", "fourier"]


def functions(family: Family, degree: int) -> int:
    """How many there are of each number up to a degree, without the constant one."""
    return 2 * degree if family == "fourier" else degree


@dataclass(frozen=True)
class Basis(Plain):
    """`(members, numbers, examples)` to `(members, 1 + numbers * functions, examples)`: 1, then function by function.

    `legendre`: `P_1 ... P_degree` by Bonnet's recursion; `powers`: `x, x^2 ...`; `fourier`: `cos(pi x), sin(pi x),
    cos(2 pi x) ...`.
    """

    family: Family
    degree: int

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        one = torch.ones_like(inputs)
        if self.family == "fourier":
            frequencies = range(1, self.degree + 1)
            found = [wave(k * math.pi * inputs) for k in frequencies for wave in (torch.cos, torch.sin)]
            return torch.cat([one[:, :1], *found], dim=1)
        found = [one, inputs]
        for k in range(1, self.degree):
            if self.family == "powers":
                found.append(found[-1] * inputs)
            else:
                found.append(((2 * k + 1) * inputs * found[-1] - k * found[-2]) / (k + 1))
        return torch.cat([one[:, :1], *found[1 : self.degree + 1]], dim=1)
