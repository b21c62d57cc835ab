"""EL2N scores of examples."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={"el2n": "1 [example]", "mean": "1"},
    axes={"example": "place of the example in its split"},
    paper="paul2021deep",
)
def el2n(runs: Runs, *, on: SplitName = "train") -> dict[str, Tensor]:
    """How far each example's predicted probabilities are from its label: an example that is hard has a high
    score.

    `el2n_i = || softmax(f(x_i)) - onehot(y_i) ||_2`, between 0 and sqrt(2) (Paul, Ganguli and Dziugaite 2021,
    "Deep Learning on a Data Diet", section 2, for one network; the paper averages over initialisations,
    here `mean(..., over=seed)`). Taken early in training it says which examples matter: `keep(digits,
    by=el2n(early).el2n, share=50%)`. Evaluation mode; softmax and norm in float64.

    Args:
        on: the split.

    Returns:
        `el2n`, `(members, examples)`, and its `mean`.
    """
    with torch.no_grad():
        scores = torch.cat([_scores(runs.outputs(x), y) for x, y in runs.chunks(on)], dim=1)
    return {"el2n": scores, "mean": scores.mean(1)}


def _scores(outputs: Tensor, targets: Tensor) -> Tensor:
    errors = outputs.double().softmax(1)
    errors.scatter_add_(1, targets.unsqueeze(1), -torch.ones_like(targets, dtype=errors.dtype).unsqueeze(1))
    return errors.square().sum(1).sqrt()
