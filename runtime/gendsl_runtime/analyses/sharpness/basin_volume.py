"""Basin volume."""

from __future__ import annotations

from itertools import islice
from typing import Literal

import numpy as np
from scipy.special import gammaln, logsumexp

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.copies import Copies, batch, joined, norm
from gendsl_runtime.measures.crossing import crossings
from gendsl_runtime.measures.directions import dimension, draws
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

PRECISION = 1e-4
"""Bracket of a radius, relative; what interpolation leaves is far smaller."""


@analysis(
    version=1,
    gives={
        "log_volume": "nats",
        "log_volume_error": "nats",
        "jensen": "nats",
        "jensen_error": "nats",
        "effective_rays": "1",
        "radius": "1 [ray]",
        "open_rays": "1",
        "centre_loss": "1",
        "dimension": "1",
    },
    axes={"ray": "random direction, in the order drawn"},
    paper=["huang2020understanding", "li2018visualizing"],
)
def basin_volume(
    runs: Runs,
    *,
    rays: Count = 500,
    cutoff: Positive = 0.1,
    on: SplitName = "train",
    directions: Literal["filter", "plain"] = "filter",
    reach: Positive = 10.0,
) -> dict[str, np.ndarray]:
    """Log-volume of the region of low loss around the trained weights, seen along random rays.

    The basin of weights w is the star-shaped set of `w + r phi` whose loss stays at most `cutoff` from w on;
    r(phi) is its radius in direction phi. Its volume in n dimensions is `V = omega_n E[r(phi)^n]` over
    directions, with `omega_n = pi^(n/2) / Gamma(1 + n/2)` (Huang et al. 2020). With R rays,

        log_volume = log omega_n + logsumexp_i(n log r_i) - log R
        jensen     = log omega_n + mean_i(n log r_i)  <=  log_volume

    The mean of r^n is carried by its largest terms: `effective_rays = (sum r^n)^2 / sum r^2n` says by how
    many, and for networks it is mostly near 1, so that `log_volume` grows with R and is biased low. `jensen`
    is a lower bound of the true value with an error that shrinks as 1/sqrt(R): the safer number to compare.

    Directions: `filter` (the paper's; Li et al. 2018), Gaussian with every filter, the incoming weights of
    one output, scaled to the norm of the network's own; biases and normalisation gains stay, n counts the
    other weights, and r = 1 is a change as large as the weights. It takes out the scale of layers; the number
    is an exact volume only up to the spread of filter norms of a Gaussian. `plain`: uniform on the unit
    sphere of all n parameters, r their Euclidean distance, V a true volume. Directions depend on the run's
    seed alone: two runs of one seed and architecture are probed along the same (before normalisation).

    Conventions: the loss is the training loss, mean over a split, evaluation mode. A radius is the crossing
    found from 1/8 outwards by doubling, refined to 1e-4 or better; a basin that a ray leaves and enters again
    counts to the first crossing on that grid. Rays still inside at `reach` have that radius, their share is
    `open_rays`. A network whose own loss is above the cutoff has no basin: radii 0 and log-volumes of minus
    infinity, never NaN; see `centre_loss`.

    Args:
        rays: number of directions R.
        cutoff: loss at the edge, in units of the training loss.
        on: the split; `fit` is everything the run was trained on.
        directions: `filter` or `plain`.
        reach: largest radius, in units of the norm of the weights (for both kinds of directions).

    Returns:
        `log_volume` and `jensen` with their standard errors over rays (nats; the former by the delta method,
        and to be distrusted where `effective_rays` is below about 10); `radius` `(members, ray)`;
        `dimension`, n.
    """
    found = [
        _radii(runs.select([member]), rays, cutoff, on, directions, reach) for member in range(runs.members)
    ]
    radii, open_rays, centres = (np.stack(values) for values in zip(*found, strict=True))
    n = dimension(runs.state.parameters, directions)
    return {
        **volumes(radii, n),
        "radius": radii,
        "open_rays": open_rays,
        "centre_loss": centres,
        "dimension": np.full(runs.members, n),
    }


def volumes(radii: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """Estimates from radii `(members, rays)` in n dimensions."""
    rays = radii.shape[1]
    unit_ball = n / 2 * np.log(np.pi) - gammaln(1 + n / 2)
    is_empty = (radii == 0).any(axis=1)
    logs = n * np.log(np.where(is_empty[:, None], 1.0, radii))
    effective = np.exp(2 * logsumexp(logs, axis=1) - logsumexp(2 * logs, axis=1))
    spread = logs.std(axis=1, ddof=min(1, rays - 1)) / np.sqrt(rays)
    estimates = {
        "log_volume": unit_ball + logsumexp(logs, axis=1) - np.log(rays),
        "jensen": unit_ball + logs.mean(axis=1),
    }
    # Var(mean of r^n) / mean^2 is (rays / effective - 1) / (rays - 1).
    errors = {
        "log_volume_error": np.sqrt(np.maximum(rays / effective - 1, 0) / max(rays - 1, 1)),
        "jensen_error": spread,
        "effective_rays": effective,
    }
    return {name: np.where(is_empty, -np.inf, value) for name, value in estimates.items()} | {
        name: np.where(is_empty, 0.0, value) for name, value in errors.items()
    }


def _radii(
    member: Runs, rays: int, cutoff: float, on: str, directions: Literal["filter", "plain"], reach: float
) -> tuple[np.ndarray, float, float]:
    """Radii `(rays,)` of one member, the share of rays that are open, and its loss."""
    centre = float(member.mean_loss(on)[0])
    if not centre <= cutoff:
        return np.zeros(rays), 0.0, centre
    parameters = member.state.parameters
    unit = 1.0 if directions == "filter" else norm(parameters)
    stream = draws(parameters, generator("basin_volume", member.seeds[0]), kind=directions, count=rays)
    found = []
    while offsets := list(islice(stream, batch(member, on))):
        heights = Copies(member, on, joined(offsets), unit=unit)
        found.append(crossings(heights, count=len(offsets), level=cutoff, reach=reach, tolerance=PRECISION))
    radii = np.concatenate(found)
    return radii * unit, float((radii >= reach).mean()), centre
