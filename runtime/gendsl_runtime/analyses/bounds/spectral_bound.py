"""Spectrally normalised margin bound."""

from __future__ import annotations

import math

import numpy as np

from gendsl_runtime.component import Positive, Share, SplitName, analysis
from gendsl_runtime.measures.margin import output_margins
from gendsl_runtime.measures.norms import maps
from gendsl_runtime.measures.priors import delta
from gendsl_runtime.measures.uniform import layer_norms, rounded, steepness
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"bound": "1", "is_vacuous": "1", "margin_error": "1", "complexity": "1", "margin": "1"},
    shares=["margin_error"],
    paper="bartlett2017spectrally",
)
def spectral_bound(
    runs: Runs, *, on: SplitName = "train", margin: Positive | None = None, confidence: Share = 0.95
) -> dict[str, np.ndarray]:
    """Bound on the error by margins and spectral norms (Bartlett, Foster and Telgarsky 2017), with its constants.

    With probability `confidence` over the N examples,

        R <= share with a margin of at most g + 8 / N^(3/2) + 72 T |X|_F sqrt(log(2 W^2)) log(N) / (g N)
             + 3 sqrt((log(2 / delta) + costs) / (2 N)),
        T = (prod_l rho_l s_l) (sum_l (b_l / s_l)^(2/3))^(3/2),

    s the spectral norms and b the sums of the lengths of the rows of the layers (convolutions as operators on images of
    their actual size), rho slopes of activations, W the largest number of inputs or outputs of a layer. It follows from
    their theorem 3.3 (covering numbers), lemma A.5 (Dudley, with alpha = 1 / N) and lemma 3.1 (ramp loss of slope 1 /
    g, margins 2-Lipschitz). Biases are weights of a constant input that each layer hands on, with that row in the
    reference matrix. s, b and g, known only after the data, are rounded to powers of 2^(1/8) to the worse side; power k
    costs `log((pi^2 / 3 - 1) (|k| + 1)^2)` nats. Vacuous by orders of magnitude for networks that are used, which is
    given as it is. For chains of dense layers, convolutions, pooling and activations that are 0 at 0; others are
    refused.

    Args:
        on: the split, trained on or not.
        margin: g; the one of 40 quantiles of the positive margins with the least bound unless given.
        confidence: probability with which the bound holds, below 1.

    Returns:
        `bound`; whether it is 1 or more; the share of examples with a margin of at most g; `T |X|_F`, rounded as above;
        and g.
    """
    inputs = runs.split(on)[0]
    examples = inputs.shape[1]
    squares = inputs.flatten(2).double().square().sum((1, 2)).cpu().numpy() + examples
    rho, failure = steepness(runs), delta(confidence)
    width = _width(runs)
    margins = output_margins(runs, on=on).cpu().numpy()
    rows = []
    for layers, square, own in zip(
        layer_norms(runs, measure="spectral_bound"), squares, margins, strict=True
    ):
        spectral = [rounded(layer.spectral, up=True) for layer in layers]
        sums = [rounded(max(layer.rows, 1e-300), up=True) for layer in layers]
        ratio = sum((b / s) ** (2 / 3) for (s, _), (b, _) in zip(spectral, sums, strict=True)) ** 1.5
        complexity = rho * math.prod(s for s, _ in spectral) * ratio * math.sqrt(square)
        cost = sum(c for _, c in spectral + sums)
        tried = _margins(own) if margin is None else np.array([margin])
        rows.append(min(_bound(own, g, complexity, cost, width, examples, failure) for g in tried))
    bound, share, complexities, chosen = (np.array(column) for column in zip(*rows, strict=True))
    return {
        "bound": bound,
        "is_vacuous": (bound >= 1).astype(np.int64),
        "margin_error": share,
        "complexity": complexities,
        "margin": chosen,
    }


def _margins(own: np.ndarray) -> np.ndarray:
    positive = own[own > 0]
    return np.quantile(positive, np.linspace(0, 1, 40)) if len(positive) else np.ones(1)


def _bound(
    own: np.ndarray, margin: float, complexity: float, cost: float, width: int, examples: int, failure: float
) -> tuple[float, float, float, float]:
    g, price = rounded(margin, up=False)
    share = float((own <= g).mean())
    covering = 72 * complexity * math.sqrt(math.log(2 * width**2)) * math.log(examples) / (g * examples)
    chance = 3 * math.sqrt((math.log(2 / failure) + cost + price) / (2 * examples))
    return share + 8 / examples**1.5 + covering + chance, share, complexity, g


def _width(runs: Runs) -> int:
    """The largest number of values between two layers, with the constant."""
    sizes = []
    for one in maps(runs.select([0]))[0]:
        places = math.prod(one.sides) if one.sides else 1
        sizes += [one.kernel.shape[1] * places + 1, len(one.rows()) + 1]
    return max(sizes)
