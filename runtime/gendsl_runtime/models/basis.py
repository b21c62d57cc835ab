"""Linear regression on fixed functions of single numbers."""

from __future__ import annotations

from math import prod
from typing import Literal

from gendsl_runtime.component import Natural, model
from gendsl_runtime.network import Network
from gendsl_runtime.train.layers.basis import Basis, functions
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import Flatten, Linear


@model(version=1, paper="rasmussen2006gaussian")
def basis(
    shape: tuple[int, ...],
    outputs: int,
    *,
    degree: Natural = 5,
    family: Literal["legendre", "powers", "fourier"] = "legendre",
) -> Network:
    """A linear combination of polynomials or waves of each input x_j: `f(x) = w_0 + sum_jk w_jk phi_k(x_j)`.

    Functions up to `degree`: Legendre polynomials, orthogonal on -1 to 1; powers of x; or `cos(k pi x)` and `sin(k pi
    x)`. Without products of different inputs. Weights start uniform in `+-1/sqrt(functions)`. A model that is linear in
    what it learns has an exact evidence: `linear_evidence`.

    Args:
        degree: the highest degree, or frequency.
        family: `legendre`, `powers` or `fourier`.
    """
    inputs = prod(shape)
    count = 1 + inputs * functions(family, degree)
    readout = Linear("output", count, outputs, bias=False)
    return Layered(shape, outputs, (Flatten(), Basis(family, degree), readout))
