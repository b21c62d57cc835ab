"""How many directions representations use."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Flag, SplitName, analysis
from gendsl_runtime.measures import spectra
from gendsl_runtime.measures.features import centred, examples_of, features, labels
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "effective_rank": "1 [layer]",
        "participation_ratio": "1 [layer]",
        "stable_rank": "1 [layer]",
        "width": "1 [layer]",
    },
    axes={"layer": "layer of the network"},
    paper=["roy2007effective", "gao2017theory", "rudelson2007sampling"],
)
def effective_rank(
    runs: Runs, *, on: SplitName = "test", examples: Count = 512, middle: Flag = True
) -> dict[str, Tensor | np.ndarray]:
    """How many directions the representation of each layer uses, counted in three ways.

    With the singular values s_k of the `features x examples` matrix of a layer: `effective_rank = exp(-sum
    p_k log p_k)`, `p_k = s_k / sum s` (Roy and Vetterli 2007); `participation_ratio = (sum l_k)^2 / sum
    l_k^2` with the variances `l_k = s_k^2` (Gao et al. 2017); `stable_rank = sum s_k^2 / s_1^2` (Rudelson and
    Vershynin 2007). Each is between 1 and `width` (no more than the examples), in the order stable rank <=
    participation ratio; unchanged by rotations and a factor, not by other linear maps. Zero where a layer is
    constant.

    Layers as in `cka`; evaluation mode; float64 singular values of representations in the precision of the
    network.

    Args:
        on: the split.
        examples: its first ones, or all if there are fewer; as few examples as features bias all three down.
        middle: take off the mean of each feature first, so that directions are those of variance; the papers
            on ranks of matrices do not.

    Returns:
        Each `(members, layer)`; `width` is the number of features.
    """
    values = features(runs, examples_of(runs, on, examples))
    found: dict[str, list[Tensor]] = {"effective_rank": [], "participation_ratio": [], "stable_rank": []}
    for value in values.values():
        sizes = torch.stack([_singular(centred(own) if middle else own) for own in value])
        squares = sizes.square()
        found["effective_rank"].append(spectra.effective_rank(sizes))
        found["participation_ratio"].append(spectra.participation(squares))
        largest = squares[:, 0]
        whole = squares.sum(1) / torch.where(largest > 0, largest, 1.0)
        found["stable_rank"].append(torch.where(largest > 0, whole, 0.0))
    width = torch.tensor([value.shape[1] for value in values.values()]).expand(runs.members, -1)
    return {
        **{name: torch.stack(parts, 1) for name, parts in found.items()},
        "width": width,
        "layer": labels(values),
    }


def _singular(value: Tensor) -> Tensor:
    """Singular values, those within rounding of nothing as zero."""
    sizes: Tensor = torch.linalg.svdvals(value)
    floor = max(value.shape) * torch.finfo(value.dtype).eps * value.abs().max() * max(value.shape) ** 0.5
    return torch.where(sizes > floor, sizes, 0.0)
