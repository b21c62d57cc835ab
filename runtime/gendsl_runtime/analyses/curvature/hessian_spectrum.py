"""Density of the Hessian's eigenvalues."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gendsl_runtime.component import Count, Natural, Positive, Real, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import curvature_product, parts, rounding
from gendsl_runtime.measures.probes import check_probes, rademacher
from gendsl_runtime.measures.quadrature import Rule, rules, smoothed
from gendsl_runtime.runs import Runs

MARGIN = 4.0
"""Standard deviations of the smoothing that the grid reaches past the outermost nodes."""


@analysis(
    version=1,
    gives={
        "density": "1 [point]",
        "error": "1 [point]",
        "eigenvalue": "1 [point]",
        "negative_share": "1",
        "negative_share_error": "1",
    },
    axes={"point": "place on the grid of eigenvalues, from 1"},
    shares=["negative_share"],
    paper=["ghorbani2019investigation", "ubaru2017fast", "schraudolph2002fast", "kunstner2019limitations"],
)
def hessian_spectrum(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    steps: Count = 90,
    probes: Count = 10,
    width: Positive = 0.003,
    points: Count = 256,
    low: Real | None = None,
    high: Real | None = None,
    samples: Natural = 0,
) -> dict[str, np.ndarray]:
    """Density of all eigenvalues of the Hessian of the training loss, or of what stands for it, smoothed.

    `phi(t) = (1/P) sum_i N(t; lambda_i, s^2)`, P parameters, by stochastic Lanczos quadrature (Ubaru, Chen and
    Saad 2017; Ghorbani, Krishnan and Xiao 2019): `steps` of Lanczos with full re-orthogonalisation from each of
    `probes` random signs give nodes and weights, whose smoothed mean is the density; it integrates to 1. s is
    `width` times the distance of the outermost nodes of that member (0.003 is sqrt(1e-5), the paper's). The
    matrices, the loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Conventions: the grid has `points` evenly spaced places between `low` and `high`; without them, each
    member's own range, 4 s past its outermost nodes: give both to compare or average members.

    Numerical error: `error` is the standard error over probes at each point. Beside it, quadrature with k steps
    is exact for polynomials of degree 2k - 1 and resolves no more than about k features: outlying eigenvalues
    are right, a bulk is right on the scale of its width / k.

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        steps: Lanczos steps for each probe.
        probes: random start vectors, at least 2.
        width: standard deviation of the smoothing, as a share of the range of eigenvalues.
        points: places at which the density is given.
        low: least eigenvalue of the grid.
        high: largest eigenvalue of the grid.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        `density`, its standard error `error` and the place `eigenvalue`, `(members, point)`;
        `negative_share`, the share of eigenvalues below 0 (by more than a millionth of the largest modulus),
        with its standard error.
    """
    check_probes(probes)
    size, found = vectors.size(runs.state.parameters), []
    for part in parts(runs, on=on, rows=min(steps, size)):
        product = curvature_product(part, on=on, operator=operator, samples=samples)
        per_probe = [
            rules(
                product,
                rademacher("hessian_spectrum", part.seeds, size, index).to(part.device),
                steps=steps,
                rounding=rounding(part),
            )
            for index in range(probes)
        ]
        found += [list(own) for own in zip(*per_probe, strict=True)]
    given = [_density(own, width, points, low, high) for own in found]
    return {name: np.stack([one[name] for one in given]) for name in given[0]} | {
        "point": np.arange(1, points + 1)
    }


def _density(
    own: list[Rule], width: float, points: int, low: float | None, high: float | None
) -> dict[str, np.ndarray]:
    """Densities of one member from its probes."""
    nodes = np.concatenate([rule.nodes for rule in own])
    reach = float(nodes.max() - nodes.min()) or float(abs(nodes).max()) or 1.0
    deviation = width * reach
    start = nodes.min() - MARGIN * deviation if low is None else low
    end = nodes.max() + MARGIN * deviation if high is None else high
    places = np.linspace(start, end, points)
    densities = np.stack([smoothed(rule, places, deviation) for rule in own])
    floor = -1e-6 * abs(nodes).max()
    below = np.array([rule.weights[rule.nodes < floor].sum() for rule in own])
    root = np.sqrt(len(own))
    return {
        "density": densities.mean(0),
        "error": densities.std(0, ddof=1) / root,
        "eigenvalue": places,
        "negative_share": np.asarray(below.mean()),
        "negative_share_error": np.asarray(below.std(ddof=1) / root),
    }
