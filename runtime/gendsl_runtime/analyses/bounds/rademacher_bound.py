"""Margin bound by products of Frobenius norms."""

from __future__ import annotations

import math

import numpy as np

from gendsl_runtime.component import Positive, Share, SplitName, analysis
from gendsl_runtime.measures.margin import output_margins
from gendsl_runtime.measures.priors import delta
from gendsl_runtime.measures.uniform import LINEAR_PIECES, layer_norms, no_max_pooling, rounded
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"bound": "1", "is_vacuous": "1", "margin_error": "1", "rademacher": "1", "margin": "1"},
    shares=["margin_error"],
    paper=["golowich2018size", "mohri2018foundations"],
)
def rademacher_bound(
    runs: Runs, *, on: SplitName = "train", margin: Positive | None = None, confidence: Share = 0.95
) -> dict[str, np.ndarray]:
    """Bound on the error by margins and the Rademacher complexity of networks with these Frobenius norms.

    With probability `confidence` over the N examples, for C classes and L layers,

        R <= share with a margin of at most g + 4 C r / g + 3 sqrt((log(2 / delta) + costs) / (2 N)),
        r = (sqrt(2 L log 2) + 1) (prod_l |A_l|_F) sqrt(sum_i |x_i|^2) / N

    (r: Golowich, Rakhlin and Shamir 2018, theorem 1, for activations that are 1-Lipschitz and positively homogeneous;
    margins of several classes: Mohri et al. 2018, theorem 9.2). Biases are weights of a constant input that each layer
    hands on. Norms and g are rounded to powers of 2^(1/8) to the worse side; power k costs `log((pi^2 / 3 - 1) (|k| +
    1)^2)` nats. A bound of 1 or more is vacuous and is given as it is. For chains of dense layers (convolutions as the
    matrices they are), average pooling (linear, of norm at most 1), and `relu`, `leaky_relu` or `identity`; others are
    refused, max pooling too: the proof takes units one by one.

    Args:
        on: the split, trained on or not.
        margin: g; the one of 40 quantiles of the positive margins with the least bound unless given.
        confidence: probability with which the bound holds, below 1.

    Returns:
        `bound`; whether it is 1 or more; the share of examples with a margin of at most g; r, rounded as above; and g.
    """
    no_max_pooling(runs, measure="rademacher_bound")
    inputs = runs.split(on)[0]
    examples, classes = inputs.shape[1], runs.network.outputs
    squares = inputs.flatten(2).double().square().sum((1, 2)).cpu().numpy() + examples
    margins = output_margins(runs, on=on).cpu().numpy()
    failure, allowed = delta(confidence), frozenset(LINEAR_PIECES)
    rows = []
    for layers, square, own in zip(
        layer_norms(runs, measure="rademacher_bound", activations=allowed), squares, margins, strict=True
    ):
        product, cost = rounded(math.prod(layer.frobenius for layer in layers), up=True)
        r = (math.sqrt(2 * len(layers) * math.log(2)) + 1) * product * math.sqrt(square) / examples
        positive = own[own > 0]
        tried = (
            [margin] if margin else np.quantile(positive, np.linspace(0, 1, 40)) if len(positive) else [1.0]
        )
        found = []
        for wanted in tried:
            g, price = rounded(float(wanted), up=False)
            share = float((own <= g).mean())
            chance = 3 * math.sqrt((math.log(2 / failure) + cost + price) / (2 * examples))
            found.append((share + 4 * classes * r / g + chance, share, r, g))
        rows.append(min(found))
    bound, share_at, complexity, chosen = (np.array(column) for column in zip(*rows, strict=True))
    return {
        "bound": bound,
        "is_vacuous": (bound >= 1).astype(np.int64),
        "margin_error": share_at,
        "rademacher": complexity,
        "margin": chosen,
    }
