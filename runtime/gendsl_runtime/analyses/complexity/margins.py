"""Output margins."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.margin import output_margins
from gendsl_runtime.measures.matrices import spectral_norms, weights
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "margin": "1 [example]",
        "normalised": "1 [example]",
        "median": "1",
        "mean": "1",
        "lowest": "1",
        "normalised_median": "1",
    },
    axes={"example": "place of the example in its split"},
    paper=["bartlett2017spectrally", "jiang2019predicting"],
)
def margins(runs: Runs, *, on: SplitName = "train") -> dict[str, Tensor]:
    """By how much the right output beats the best wrong one, for each example.

    `margin_i = f_y(x_i) - max_{c != y} f_c(x_i)` on the outputs before the softmax, negative where the
    example is misclassified. `normalised = margin / prod_l ||W_l||_2` divides by the product of the layers'
    spectral norms, which bounds the Lipschitz constant of a network of dense layers with 1-Lipschitz
    activations (Bartlett, Foster and Telgarsky 2017, without their factor of (2,1) norms and without the
    scale of the data: the margins of networks on the same data are compared). Convolutions enter with the
    norm of the kernel as a matrix on one patch; skip connections, normalisation and fixed random layers are
    not in the product, which then is no bound. Where the product is 0 a margin of 0 stays
    0 and any other is infinite; NaN where the network learns no weights of layers (`subspace`). The median is
    the mean of the middle two for an even number. Outputs are float32; absolute error about 1e-6 of the
    largest output.

    Args:
        on: the split.
    """
    margin = output_margins(runs, on=on)
    has_weights = bool(weights(runs.state.parameters))
    lipschitz = spectral_norms(runs).prod(1) if has_weights else torch.full_like(margin[:, 0], torch.nan)
    middle = torch.from_numpy(np.median(margin.cpu().numpy(), axis=1)).to(margin.device)
    return {
        "margin": margin,
        "normalised": _share(margin, lipschitz[:, None]),
        "median": middle,
        "mean": margin.mean(1),
        "lowest": margin.amin(1),
        "normalised_median": _share(middle, lipschitz),
    }


def _share(margin: Tensor, lipschitz: Tensor) -> Tensor:
    """The quotient, with 0 / 0 = 0: a network that is constant has no margin to speak of."""
    return torch.where((margin == 0) & (lipschitz == 0), 0.0, margin / lipschitz)
