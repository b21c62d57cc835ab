"""Spectral complexity and the margins it normalises."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.margin import output_margins
from gendsl_runtime.measures.norms import Map, lipschitz, maps
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.residual import Residual


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={
        "complexity": "1",
        "lipschitz": "1",
        "ratio": "1",
        "data": "1",
        "normalised_margin": "1 [example]",
        "median": "1",
    },
    axes={"example": "place of the example in its split"},
    paper="bartlett2017spectrally",
)
def spectral_complexity(runs: Runs, *, on: SplitName = "train") -> dict[str, np.ndarray]:
    """The complexity of Bartlett, Foster and Telgarsky, and margins in its units.

    `complexity = ( prod_l rho_l ||A_l||_2 ) ( sum_l (||A_l^T||_{2,1} / ||A_l||_2)^(2/3) )^(3/2)` over the
    linear layers and convolutions as operators A_l on inputs of their actual size, with rho the largest
    slopes of activations (2017, equation 1.2, with zero reference matrices); `||A^T||_{2,1}` is the sum of
    the lengths of the rows of A. `lipschitz` is the first factor, pooling and BatchNorm included, and `ratio`
    the second. With the N inputs as rows of X, `data = ||X||_F` and

        normalised_margin_i = N (f_y - max_{c != y} f_c)(x_i) / (complexity ||X||_F)

    (their section 2). Unchanged when hidden ReLU layers are rescaled against each other. For chains of
    layers: the paper does not treat residual blocks, which are refused. A network whose layers have norm 0 is
    constant: complexity 0, margins 0 or infinite. The margins are of float32 outputs; norms as in
    `operator_norms`.

    Args:
        on: the split.

    Raises:
        Problem: the network has residual blocks, or layers without a bound (`operator_norms` says which).
    """
    found = [_parts(own) for own in maps(runs)]
    bound = lipschitz(runs, [norms for norms, _ in found])
    if not np.isfinite(bound).all() or _has_blocks(runs):
        raise Problem(
            "not-a-dense-network",
            "the spectral complexity is defined for layers that follow one another and have a Lipschitz constant",
            help="use a network without skips, and without `norm = layer` or `group`; `operator_norms` takes any",
        )
    ratio = np.array([value for _, value in found])
    complexity = bound * ratio
    inputs = runs.split(on)[0]
    data = np.sqrt(np.square(inputs.flatten(1).double().cpu().numpy()).sum(1))
    margin = output_margins(runs, on=on).cpu().numpy()
    scale = (complexity * data / inputs.shape[1])[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        normalised = np.where(margin == 0, 0.0, margin / scale)
    return {
        "complexity": complexity,
        "lipschitz": bound,
        "ratio": ratio,
        "data": data,
        "normalised_margin": normalised,
        "median": np.median(normalised, axis=1),
    }


def _parts(own: list[Map]) -> tuple[dict[str, float], float]:
    """Spectral norms by name, and the second factor."""
    norms = {one.name: one.spectral()[0] for one in own}
    lengths = [float(one.rows().sum()) / norms[one.name] for one in own if norms[one.name] > 0]
    return norms, float(np.sum(np.array(lengths) ** (2 / 3)) ** 1.5)


def _has_blocks(runs: Runs) -> bool:
    return isinstance(runs.network, Layered) and any(
        isinstance(layer, Residual) for layer in runs.network.layers
    )
