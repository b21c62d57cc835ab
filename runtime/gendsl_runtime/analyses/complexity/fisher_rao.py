"""Fisher-Rao norm."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.gradients import along, parts
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={"fisher_rao": "nats", "fisher_rao_error": "nats"},
    paper="liang2019fisher",
)
def fisher_rao(
    runs: Runs, *, on: SplitName = "train", labels: Literal["data", "model"] = "data"
) -> dict[str, np.ndarray]:
    """The length of the weights as Fisher information measures it.

    `fisher_rao = sqrt( w^T I(w) w )` with `I(w) = E[ grad log p(y|x) grad log p(y|x)^T ]`, p the softmax of
    the outputs, so that `w^T I w` is the mean over the split of `<w, grad log p>^2` (Liang et al. 2019,
    definition 2; they take the labels of the data). For a network of L weight layers without biases and
    homogeneous activations `<w, grad f> = L f` (their lemma 2.1), and the norm is L times a function of the
    outputs alone.

    With labels of the `model` the expectation over y is exact, `<w, J^T (diag p - p p^T) J w>`, and I the
    true Fisher information. Unchanged when hidden ReLU units are rescaled: it depends on the function and on
    the direction of growth alone. All parameters enter, biases and gains too; evaluation mode.

    `J w` in the precision of the parameters (float32: about 1e-6, relative), the rest in float64.
    `fisher_rao_error` is the standard error over the examples, taken as a sample, by the delta method.

    Args:
        on: the split.
        labels: `data`, the labels of the split, or `model`, drawn from the network's own probabilities.

    Returns:
        `fisher_rao` and its standard error, `(members,)`.
    """
    found = [_squares(part, on, labels) for part in parts(runs)]
    squares = torch.cat(found).cpu().numpy()
    examples = squares.shape[1]
    norm = np.sqrt(squares.mean(1))
    spread = squares.std(1, ddof=min(1, examples - 1)) / np.sqrt(examples)
    error = np.where(norm > 0, spread / np.where(norm > 0, 2 * norm, 1.0), 0.0)
    return {"fisher_rao": norm, "fisher_rao_error": error}


def _squares(part: Runs, on: str, labels: str) -> Tensor:
    """`E_y <w, grad log p(y|x)>^2` of each example, `(members, examples)`."""
    found = []
    for inputs, targets in part.chunks(on):
        outputs, growth = along(part, inputs, part.state.parameters)
        shares = outputs.softmax(1)
        mean = (shares * growth).sum(1)
        if labels == "model":
            found.append((shares * (growth - mean.unsqueeze(1)).square()).sum(1))
        else:
            found.append((growth.gather(1, targets.unsqueeze(1))[:, 0] - mean).square())
    return torch.cat(found, dim=1)
