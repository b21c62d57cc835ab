"""Expected sharpness."""

from __future__ import annotations

from itertools import islice
from typing import Literal

import numpy as np

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.copies import Copies, batch, joined, level
from gendsl_runtime.measures.directions import noises
from gendsl_runtime.measures.probes import check_probes
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"sharpness": "1", "error": "1", "spread": "1", "highest": "1", "centre": "1"},
    paper=["neyshabur2017exploring", "li2018visualizing"],
)
def expected_sharpness(
    runs: Runs,
    *,
    sigma: Positive = 0.01,
    noise: Literal["normal", "magnitude", "sphere", "filter"] = "normal",
    of: Literal["loss", "error"] = "loss",
    samples: Count = 100,
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """How far the loss rises on average under random changes of the weights.

    `E_u L(w + sigma u) - L(w)` (Neyshabur et al. 2017, "expected sharpness"), the mean over `samples` changes u:

    - `normal`: standard normal in every parameter; to second order the rise is `sigma^2 tr(H) / 2`.
    - `magnitude`: normal with standard deviation |w_i|, which rescaling of layers cannot change.
    - `sphere`: uniform on the sphere of radius 1 in all parameters.
    - `filter`: filter-normalised flatness, Gaussian with each filter (incoming weights of one output) as long as the
      network's own, biases and normalisation gains left alone (Li et al. 2018).

    Evaluation mode (BatchNorm by its running statistics, no dropout), no weight decay. Changes depend on the
    run's seed alone.

    Numerical error: `error` is the standard error over samples. `highest` is a lower bound on the largest rise
    that such changes can give.

    Args:
        sigma: size of the changes, in the units of `noise`.
        noise: `normal`, `magnitude`, `sphere` or `filter`.
        of: the training `loss`, or the `error`, the share of examples classified wrongly.
        samples: random changes, at least 2.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        `sharpness` with its standard error `error`; `spread`, the standard deviation of single rises; `highest`
        rise; `centre`, the level at the weights themselves, `(members,)` each.
    """
    check_probes(samples)
    found = [_rises(runs.select([member]), sigma, noise, of, samples, on) for member in range(runs.members)]
    rises = np.stack([rise for rise, _ in found])
    deviation = np.array([rise.std(ddof=1) for rise in rises])
    return {
        "sharpness": np.array([rise.mean() for rise in rises]),
        "error": deviation / np.sqrt(samples),
        "spread": deviation,
        "highest": rises.max(axis=1),
        "centre": np.array([centre for _, centre in found]),
    }


def _rises(
    member: Runs,
    sigma: float,
    noise: Literal["normal", "magnitude", "sphere", "filter"],
    of: Literal["loss", "error"],
    samples: int,
    on: str,
) -> tuple[np.ndarray, float]:
    stream = noises(
        member.state.parameters,
        generator("expected_sharpness", member.seeds[0]),
        kind=noise,
        count=samples,
    )
    centre, found = float(level(member, on, of)[0]), []
    while offsets := list(islice(stream, batch(member, on))):
        copies = Copies(member, on, joined(offsets), of=of)
        found.append(copies(np.arange(len(offsets)), np.full(len(offsets), sigma)))
    return np.concatenate(found) - centre, centre
