"""GraNd scores of examples."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.gradients import parts, squared_norms
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"grand": "1 [example]", "mean": "1"},
    axes={"example": "place of the example in its split"},
    paper=["paul2021deep", "goodfellow2015efficient"],
)
def grand(runs: Runs, *, on: SplitName = "train") -> dict[str, Tensor]:
    """The length of each example's gradient: an example that would change the network much has a high score.

    `grand_i = || d l(f_w(x_i), y_i) / dw ||_2` over all parameters, with the training loss l and without
    weight decay (Paul, Ganguli and Dziugaite 2021, definition 2.1, for one network; the paper averages over
    initialisations, here `mean(..., over=seed)`). Evaluation mode: BatchNorm with its running statistics, so
    that the score of an example depends on no other, and no dropout.

    Of dense layers, convolutions and norms it comes from the layers' inputs and slopes (Goodfellow 2015);
    networks with other layers take a backward pass for each example. In the precision of the parameters
    (float32: about 1e-6, relative), summed over layers in float64.

    Args:
        on: the split.

    Returns:
        `grand`, `(members, examples)`, and its `mean`.
    """
    found = [
        torch.cat([squared_norms(part, x, y) for x, y in part.chunks(on)], dim=1) for part in parts(runs)
    ]
    scores = torch.cat(found).sqrt()
    return {"grand": scores, "mean": scores.mean(1)}
