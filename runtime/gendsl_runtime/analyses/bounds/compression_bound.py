"""Compression bound."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

from gendsl_runtime.component import Count, Natural, Positive, Share, SplitName, analysis
from gendsl_runtime.measures import coding, pac_bayes, priors, vectors
from gendsl_runtime.measures.quantising import codes, restored
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "bound": "1",
        "mcallester": "1",
        "quadratic": "1",
        "catoni": "1",
        "is_vacuous": "1",
        "bits": "1",
        "kl": "nats",
        "error": "1",
        "test_error": "1",
        "trained_error": "1",
        "levels_chosen": "1",
        "coordinates": "1",
        "bound_at": "1 [level]",
        "bits_at": "1 [level]",
        "error_at": "1 [level]",
    },
    shares=["bound", "error", "test_error", "trained_error", "bound_at", "error_at"],
    axes={"level": "values in the codebook"},
    paper=["lotfi2022compression", "li2018measuring", "maurer2004note", "catoni2007pac"],
)
def compression_bound(
    runs: Runs,
    *,
    on: SplitName = "train",
    test: SplitName = "test",
    other: Runs | None = None,
    levels: list[Count] = (3, 7, 15),  # type: ignore[assignment]
    epochs: Natural = 5,
    batch: Count = 128,
    rate: Positive = 0.02,
    choices: Count = 1,
    length: Literal["universal", "prefix"] = "universal",
    confidence: Share = 0.95,
) -> dict[str, np.ndarray]:
    """Bound on the risk of the network that is read back from a short message about the trained one.

    The trained coordinates (all weights, or those of a `subspace`), less where they were drawn, are quantised to
    L values and written down: the sequence by an arithmetic code, `ceil(d H) + 1` bits for d coordinates and the
    entropy H of the shares of the values; L counts of `ceil(log2(d + 1))` bits; L values as float16. With C bits in
    all, the prior `2^-K(h)` gives (Lotfi et al. 2022, equation 2)

        KL <= C log 2 + 2 log C + log(number of L tried) + log(choices)

    (`length = prefix` leaves out `2 log C`: for known d and L no message begins with another). The quantised network's
    error on the N examples and this KL enter the PAC-Bayes bounds: `bound` is `kl^-1(error, (KL + log(2 sqrt(N) /
    delta)) / N)` (Maurer 2004); `mcallester`, `quadratic`, `catoni` stand beside it: choose one before looking. A
    bound of 1 or more is vacuous and is given as it is. All is deterministic: nothing is estimated, the code length is
    exact.

    After k-means, values and coordinates are tuned for some epochs by Adam through the quantisation, on everything the
    run was trained on (evaluation mode). Whatever else the sweep chooses by these examples or this bound (dimension,
    learning rate ...) must be paid for: `choices`, the number of settings among which the best is taken.

    Starts, maps and other buffers must not have seen the split: as first drawn, or (transfer: `init = source` in the
    training) those of `other=source`, whose training examples must not meet the split. Running statistics of BatchNorm
    are refused.

    Args:
        on: the split of the bound.
        test: the split of `test_error`.
        other: the runs from whose weights these started, trained on other data.
        levels: numbers L of values to try; the least bound is taken, and the choice paid for.
        epochs: epochs of tuning.
        batch: examples a step of the tuning.
        rate: step of the tuning, in units of the coordinates' standard deviation.
        choices: settings of the sweep among which the best is taken, paid for by `log(choices)`.
        length: `universal` as in the paper, or `prefix`.
        confidence: probability with which the bound holds, below 1.

    Returns:
        the bounds at the best L, `bits` C, `kl` (nats, all of it), the quantised network's `error` on the split and on
        `test`, `trained_error` before quantisation, L, d; and bound, bits and error for each L.
    """
    if not levels:
        raise Problem("out-of-range", "no number of levels is given", help="levels=[3, 7, 15]")
    failure = priors.delta(confidence)
    priors.no_data_in_buffers(runs, other=other, on=on, measure="compression_bound")
    reference = _reference(runs, other)
    tried = [_message(runs, reference, on, test, count, epochs, batch, rate) for count in levels]
    bits, error, test_error = (np.stack(column, axis=1) for column in zip(*tried, strict=True))
    kl = np.vectorize(coding.universal_nats)(bits) if length == "universal" else bits * math.log(2)
    kl = kl + math.log(len(levels)) + math.log(choices)
    found = pac_bayes.all_bounds(error, kl, examples=runs.split(on)[0].shape[1], delta=failure)
    best = found["bound"].argmin(axis=1)[:, None]

    def pick(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(np.broadcast_to(values, error.shape), best, axis=1)[:, 0]

    return {
        **{name: pick(values) for name, values in found.items()},
        "is_vacuous": (pick(found["bound"]) >= 1).astype(np.int64),
        "bits": pick(bits),
        "kl": pick(kl),
        "error": pick(error),
        "test_error": pick(test_error),
        "trained_error": runs.error(on).cpu().numpy(),
        "levels_chosen": pick(np.array(levels)),
        "coordinates": np.full(runs.members, vectors.size(runs.state.parameters)),
        "bound_at": found["bound"],
        "bits_at": bits,
        "error_at": error,
        "level": np.array(levels),
    }


class _Message(NamedTuple):
    """Bits, and errors of what is read back, each `(members,)`."""

    bits: np.ndarray
    error: np.ndarray
    test_error: np.ndarray


def _message(
    runs: Runs, reference: Tensor, on: str, test: str, levels: int, epochs: int, batch: int, rate: float
) -> _Message:
    found = codes(runs, reference, levels=levels, epochs=epochs, batch=batch, rate=rate)
    parameters = restored(runs, reference, np.stack([code.values for code in found]))
    errors = [runs.error(split, parameters).cpu().numpy() for split in (on, test)]
    return _Message(np.array([coding.message_bits(code) for code in found]), *errors)


def _reference(runs: Runs, other: Runs | None) -> Tensor:
    """Where the coordinates are counted from `(members, size)`: what a reader of the message knows."""
    start = priors.fresh(runs).parameters
    if other is not None:
        known = other.state.parameters
        if {n: v.shape for n, v in known.items()} == {n: v.shape for n, v in start.items()}:
            return vectors.flat(known).double()
    return vectors.flat(start).double()
