"""PAC-Bayes sharpness."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Count, NonNegative, Positive, SplitName, analysis
from gendsl_runtime.measures.copies import batch, level, norm
from gendsl_runtime.measures.crossing import crossings
from gendsl_runtime.measures.directions import noises
from gendsl_runtime.measures.probes import check_probes
from gendsl_runtime.network import Tensors
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "sigma": "1",
        "sharpness": "1",
        "rise": "1",
        "rise_error": "1",
        "open": "1",
        "dimension": "1",
    },
    paper=["neyshabur2017exploring", "jiang2020fantastic"],
)
def pac_bayes_sharpness(
    runs: Runs,
    *,
    cutoff: Positive = 0.1,
    of: Literal["error", "loss"] | None = None,
    scale: Literal["plain", "magnitude"] = "plain",
    floor: NonNegative = 1e-3,
    samples: Count = 32,
    tolerance: Positive = 0.01,
    reach: Positive = 10.0,
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """The largest normal noise on the weights that raises the training error by no more than a cutoff.

    The largest sigma with `E_u[e(w + u)] <= e(w) + cutoff`, e the share of training examples classified wrongly and
    `u ~ N(0, sigma^2)` in every parameter (Neyshabur et al. 2017; Jiang et al. 2020, appendix C.2, with cutoff
    0.1); with `magnitude` `u_i ~ N(0, sigma^2 w_i^2 + floor^2)`, their magnitude-aware sigma' with floor 1e-3.
    `sharpness = 1 / sigma^2`, their measure `flatness`, is what enters PAC-Bayes bounds.

    Conventions: the mean over `samples` changes that are the same for every sigma, so that the mean is a function
    of sigma; sigma is its first crossing of the cutoff on the grid unit * 1/8 * 2^k from 1/8 outwards, refined by
    bisection and interpolation. The unit is the norm of the weights divided by the square root of their number
    (1 for `magnitude`). Evaluation mode (BatchNorm by its running statistics, no dropout).

    Numerical error: the bracket of sigma is `tolerance` wide, relative. The mean rise at that sigma is `rise` with
    its standard error `rise_error` over samples; where the rise is proportional to sigma^p, sigma itself errs by
    `rise_error / (p rise)`, relative. `open` is 1 where the rise stays below the cutoff up to `reach`: sigma is
    then a lower bound. With `floor` alone above the cutoff sigma is 0 and the sharpness infinite.

    Args:
        cutoff: rise that is allowed.
        of: the `error`, or the training `loss`; by default the error of classifiers, the loss of regressions.
        scale: `plain`, or noise by the `magnitude` of each weight.
        floor: standard deviation that every weight gets with `magnitude`.
        samples: changes, at least 2.
        tolerance: relative width of the bracket of sigma.
        reach: largest sigma, in the units above.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        `sigma`, `sharpness`, `rise`, `rise_error`, `open` and `dimension`, the number of parameters, `(members,)`.
    """
    check_probes(samples)
    if of is None:
        of = "loss" if runs.data[0].task == "regression" else "error"
    found = []
    for member in range(runs.members):
        noisy = _Noisy(runs.select([member]), on, of, scale, floor, samples)
        found.append(_searched(noisy, cutoff, tolerance, reach))
    size = sum(value[0].numel() for value in runs.state.parameters.values())
    return {
        **{name: np.array([one[name] for one in found]) for name in found[0]},
        "dimension": np.full(runs.members, size),
    }


class _Noisy:
    """The rise of one member's level under noise, mean over samples, as a function of sigma."""

    def __init__(
        self,
        member: Runs,
        on: str,
        of: Literal["error", "loss"],
        scale: Literal["plain", "magnitude"],
        floor: float,
        samples: int,
    ) -> None:
        self._member, self._on, self._of, self._samples = member, on, of, samples
        self._floor = floor if scale == "magnitude" else None
        parameters = member.state.parameters
        size = sum(value[0].numel() for value in parameters.values())
        self.unit = 1.0 if scale == "magnitude" else (norm(parameters) or 1.0) / size**0.5
        self._centre = float(level(member, on, of)[0])
        self._step = batch(member, on)

    def rises(self, sigma: float) -> np.ndarray:
        """`(samples,)`."""
        parameters = self._member.state.parameters
        stream = noises(
            parameters,
            generator("pac_bayes_sharpness", self._member.seeds[0]),
            kind="normal",
            count=self._samples,
        )
        found, drawn = [], list(stream)
        for start in range(0, self._samples, self._step):
            some = drawn[start : start + self._step]
            stack = self._member.repeated(len(some))
            found.append(level(stack, self._on, self._of, self._moved(some, sigma)).cpu().numpy())
        return np.concatenate(found) - self._centre

    def __call__(self, _places: np.ndarray, distances: np.ndarray) -> np.ndarray:
        return np.array([self.rises(float(distance) * self.unit).mean() for distance in distances])

    def _moved(self, drawn: list[Tensors], sigma: float) -> Tensors:
        moved = {}
        for name, value in self._member.state.parameters.items():
            change = torch.cat([one[name] for one in drawn])
            if self._floor is None:
                moved[name] = value + change * sigma
            else:
                moved[name] = value + change * (value.square() * sigma**2 + self._floor**2).sqrt()
        return moved


def _searched(noisy: _Noisy, cutoff: float, tolerance: float, reach: float) -> dict[str, float]:
    if noisy.rises(0.0).mean() > cutoff:
        distance = 0.0
    else:
        (distance,) = crossings(noisy, count=1, level=cutoff, reach=reach, tolerance=tolerance)
    sigma = float(distance) * noisy.unit
    rises = noisy.rises(sigma)
    return {
        "sigma": sigma,
        "sharpness": 1 / sigma**2 if sigma else np.inf,
        "rise": float(rises.mean()),
        "rise_error": float(rises.std(ddof=1) / np.sqrt(len(rises))),
        "open": int(distance >= reach),
    }
