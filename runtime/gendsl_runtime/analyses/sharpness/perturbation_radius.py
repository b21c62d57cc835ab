"""Radius of perturbations that a network withstands."""

from __future__ import annotations

from itertools import islice
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.ascent import Neighbourhood, Norm, climb, cut, scales
from gendsl_runtime.measures.copies import Copies, Of, batch, joined, level, norm
from gendsl_runtime.measures.crossing import crossings
from gendsl_runtime.network import Tensors
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "radius": "1",
        "ascent_radius": "1",
        "random_radius": "1",
        "random_mean": "1",
        "random_error": "1",
        "open": "1",
        "open_rays": "1",
    },
    shares=["open_rays"],
    paper=["keskar2017large", "jiang2020fantastic", "huang2020understanding"],
)
def perturbation_radius(
    runs: Runs,
    *,
    cutoff: Positive = 0.1,
    of: Literal["loss", "error"] = "loss",
    norm: Literal["l2", "linf"] = "l2",
    scale: Literal["plain", "magnitude"] = "plain",
    steps: Count = 20,
    rays: Count = 50,
    tolerance: Positive = 0.01,
    reach: Positive = 10.0,
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """How far weights may be moved, in the worst case and at random, before the loss rises by a cutoff.

    The worst-case radius is `R = inf {|T^-1 e| : L(w + e) - L(w) > cutoff}`, the distance of the nearest weights
    that are too bad (the radius that belongs to the sharpness of Keskar et al. 2017 and to `alpha` of Jiang et al.
    2020, who take `of=error`, `norm=linf`, cutoff 0.1; `magnitude`, T = |w|, is their alpha' without the 1e-3 they
    add). Finding it is not convex: nobody knows R, but every bad point that is found bounds it from above.

    - `ascent_radius` >= R: the smallest radius at which projected gradient ascent on the loss, `steps` steps
      that shrink from the radius to nothing, from a random direction, found a bad point (up to `tolerance`).
    - `random_radius` >= R: the smallest crossing along `rays` random directions (uniform on the sphere for `l2`,
      random signs for `linf`), and `random_mean`, their mean with its standard error: what a change that knows
      nothing of the loss needs.
    - `radius`: the smaller of the first two, the tightest upper bound found.

    Conventions: crossings are the first on the grid unit / 8 * 2^k outwards, refined to `tolerance`, relative; the
    unit is the norm of the weights for `l2` and that divided by the square root of their number for `linf`; for
    `magnitude` the square root of the number of parameters and 1. Evaluation mode (BatchNorm by its running
    statistics, no dropout), no weight decay.

    Numerical error: `tolerance` for every crossing; how far `radius` lies above R is not known. `open` is 1 where
    ascent found nothing bad up to `reach` (then `ascent_radius` is `reach`, no bound), `open_rays` the share of
    rays that did not.

    Args:
        cutoff: rise of the loss (or error) that is too much.
        of: the training `loss`, or the `error`, the share of examples classified wrongly. Ascent is on the loss.
        norm: `l2` or `linf`.
        scale: `plain`, or changes relative to the `magnitude` of each weight.
        steps: gradient steps at each radius that is tried.
        rays: random directions.
        tolerance: relative width of the bracket of a crossing.
        reach: largest radius, in the units above.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        All `(members,)`, radii in units of `|T^-1 e|`.
    """
    kinds: dict[str, list[np.ndarray | float]] = {}
    for member in range(runs.members):
        one = runs.select([member])
        search = _Search(one, on, of, norm, scale, steps, cutoff)
        (climbed,) = crossings(search.highest, count=1, level=cutoff, reach=reach, tolerance=tolerance)
        drawn = _random(search, rays, tolerance, reach)
        found = {
            "radius": min(climbed, drawn.min()) * search.unit,
            "ascent_radius": climbed * search.unit,
            "random_radius": drawn.min() * search.unit,
            "random_mean": drawn.mean() * search.unit,
            "random_error": (drawn.std(ddof=1) if rays > 1 else np.inf) / np.sqrt(rays) * search.unit,
            "open": int(climbed >= reach),
            "open_rays": float((drawn >= reach).mean()),
        }
        for name, value in found.items():
            kinds.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in kinds.items()}


class _Search:
    """Rises of one member's level around its weights."""

    def __init__(
        self,
        one: Runs,
        on: str,
        of: Of,
        kind: Norm,
        scale: Literal["plain", "magnitude"],
        steps: int,
        cutoff: float,
    ) -> None:
        parameters = one.state.parameters
        self.one, self.on, self.of, self.kind, self.cutoff = one, on, of, kind, cutoff
        self.scale = scales(parameters, "elementwise" if scale == "magnitude" else "none", 0.0)
        self.centre = float(level(one, on, of)[0])
        self._steps, self._pieces = steps, next(cut(one, on, None))
        size = vectors.size(parameters)
        whole = norm(parameters) or 1.0
        plain = {"l2": whole, "linf": whole / size**0.5}
        self.unit = plain[kind] if scale == "plain" else {"l2": size**0.5, "linf": 1.0}[kind]
        stream = generator("perturbation_radius.start", one.seeds[0])
        self._start = self.direction(stream)

    def direction(self, stream: np.random.Generator) -> Tensor:
        """A random d with |d| = 1, `(1, size)`."""
        drawn = torch.from_numpy(stream.standard_normal(self.scale.shape[1]))[None]
        length = drawn.sign() if self.kind == "linf" else drawn / drawn.norm()
        return length.to(self.scale)

    def offset(self, direction: Tensor) -> Tensors:
        """`T d` as tensors `(1, ...)`."""
        return vectors.shaped(self.scale * direction, self.one.state.parameters)

    def highest(self, _places: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """The highest rise that ascent meets within each distance."""
        return np.array([self._highest(float(distance) * self.unit) for distance in distances])

    def _highest(self, radius: float) -> float:
        around = Neighbourhood(self.kind, torch.tensor([radius], dtype=torch.float64), self.scale)
        most = -np.inf
        for weights in climb(self.one, self._pieces, around, steps=self._steps, start=self._start * radius):
            rise = float(level(self.one, self.on, self.of, weights)[0]) - self.centre
            most = max(most, np.inf if np.isnan(rise) else rise)
        return most


def _random(search: _Search, rays: int, tolerance: float, reach: float) -> np.ndarray:
    """Crossings along random directions `(rays,)`, in the search's unit."""
    stream = generator("perturbation_radius.rays", search.one.seeds[0])
    offsets = (search.offset(search.direction(stream)) for _ in range(rays))
    found = []
    while some := list(islice(offsets, batch(search.one, search.on))):
        copies = Copies(search.one, search.on, joined(some), unit=search.unit, of=search.of)
        found.append(
            crossings(
                lambda places, distances, copies=copies: copies(places, distances) - search.centre,  # type: ignore[misc]
                count=len(some),
                level=search.cutoff,
                reach=reach,
                tolerance=tolerance,
            )
        )
    return np.concatenate(found)
