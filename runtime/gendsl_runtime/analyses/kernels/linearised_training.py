"""Training of a network linearised at its start."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.kernels import first, members, regression_targets
from gendsl_runtime.measures.tangent import tangent_kernel
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "agreement": "1",
        "distance": "1",
        "accuracy": "1",
        "mse": "1",
        "train_mse": "1",
    },
    shares=["agreement", "accuracy"],
    paper=["lee2019wide", "jacot2018neural"],
)
def linearised_training(
    runs: Runs,
    *,
    other: Runs,
    lr: Positive | None = None,
    on: SplitName = "train",
    against: SplitName = "test",
    examples: Count = 128,
) -> dict[str, Tensor]:
    """What training would have made of the network linearised at its start, beside what it made of the
    network.

    Gradient descent on the mean squared error of `f_lin(x) = f_0(x) + df_0(x)/dw (w - w_0)` has a closed
    form: on the N training examples and all C outputs `f_t = Y + (I - 2 lr K / (N C))^t (f_0 - Y)`, and
    elsewhere `f_t(x) = f_0(x) - K(x, X) K^-1 (f_0 - f_t)(X)`, with the full tangent kernel K at the start
    (Lee et al. 2019, equations 8-11, in discrete time). t are the steps that the run took since the
    start; the loss is `mse`,
    of one-hot vectors for classes, whatever the run was trained with: compare it with a run on `mse`, by `gd`
    without momentum, of these examples.

    `agreement` is the share of examples of the other split on which the largest output is the same,
    `distance` the root mean square difference between the outputs of the trained and the linearised network
    there, relative to what training changed, `|f - f_lin| / |f - f_0|` (small in lazy training). Evaluation
    mode throughout. Float64 eigenvalues: error about 1e-10 relative; directions with eigenvalues below N C
    eps of the largest do not move. NaN where `lr` is so far above `N C / l_1`, with the largest eigenvalue l_1, that
    descent goes beyond the largest number.

    Args:
        other: the start, `other=fit.at(epoch=0)`.
        lr: learning rate of gradient descent; with none, training to the end (t without bound).
        on: the split learned from, all of it if it has no more than `examples`.
        against: the split predicted.
        examples: of each the first ones, or all if there are fewer. N C numbers make a matrix of
            eigenvectors.

    Returns:
        `agreement` and `accuracy` (NaN in regression), `distance` (NaN where training changed nothing), `mse`
        and `train_mse` of the linearised network (mean over examples and outputs), each `(members,)`.
    """
    pairs = zip(members(runs), members(other), strict=True)
    found = [_compared(now, start, lr, on, against, examples) for now, start in pairs]
    return {name: torch.tensor([one[name] for one in found], dtype=torch.float64) for name in found[0]}


@dataclass(frozen=True)
class _Split:
    """Examples with their targets `(N, C)` and the outputs at the start `(N, C)`."""

    inputs: Tensor
    labels: Tensor
    targets: Tensor
    start: Tensor


def _compared(
    now: Runs, start: Runs, lr: float | None, on: str, against: str, examples: int
) -> dict[str, float]:
    learned, seen = (_split(now, start, name, examples) for name in (on, against))
    steps = (now.steps[0] if now.steps else 0) - (start.steps[0] if start.steps else 0)
    train, test = _linearised(start, learned, seen, lr=lr, steps=steps)
    trained = now.outputs(seen.inputs)[0].T
    is_labelled = not seen.labels.is_floating_point()
    moved = (trained - seen.start).norm()
    answers = test.argmax(1)
    return {
        "agreement": float((answers == trained.argmax(1)).double().mean()) if is_labelled else torch.nan,
        "distance": float((trained - test).norm() / moved) if moved > 0 else torch.nan,
        "accuracy": float((answers == seen.labels[0]).double().mean()) if is_labelled else torch.nan,
        "mse": float((test - seen.targets).square().mean()),
        "train_mse": float((train - learned.targets).square().mean()),
    }


def _split(now: Runs, start: Runs, name: str, examples: int) -> _Split:
    inputs, labels = first(now, name, examples)
    targets = regression_targets(now, labels, is_centred=False)
    return _Split(inputs, labels, targets, start.outputs(inputs)[0].T)


def _linearised(
    start: Runs, learned: _Split, seen: _Split, *, lr: float | None, steps: int
) -> tuple[Tensor, Tensor]:
    """Outputs `(N, C)` on both splits after training."""
    gram = tangent_kernel(start, learned.inputs, of="full")
    values, vectors = torch.linalg.eigh(gram)
    is_kept = values > len(values) * torch.finfo(values.dtype).eps * values[-1]
    error = vectors.T @ (learned.start - learned.targets).flatten()
    rate = 2 * (lr or 0) / len(values)
    factor = (1 - rate * values) ** steps if lr is not None else torch.zeros_like(values)
    change = torch.where(is_kept, (factor - 1) * error, 0.0)
    across = tangent_kernel(start, seen.inputs, learned.inputs, of="full")
    weights = vectors @ torch.where(is_kept, change / torch.where(is_kept, values, 1.0), 0.0)
    train = learned.start + (vectors @ change).view_as(learned.start)
    return train, seen.start + (across @ weights).view_as(seen.start)
