"""Neural collapse."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.layers import layered
from gendsl_runtime.measures.matrices import matrices
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK, Runs
from gendsl_runtime.train.layers.layer import Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import Linear
from gendsl_runtime.train.layers.matmul import matmul


@analysis(
    version=1,
    needs="classification",
    gives={
        "nc1": "1",
        "nc2_lengths": "1",
        "nc2_angles": "1",
        "nc2_simplex": "1",
        "nc2_rows": "1",
        "nc3": "1",
        "nc4": "1",
    },
    shares=["nc4"],
    paper="papyan2020prevalence",
)
def neural_collapse(runs: Runs, *, on: SplitName = "train") -> dict[str, Tensor]:
    """How far the last features have collapsed onto a simplex, in the four measures of neural collapse.

    With the features h that the output layer takes, the mean m_c of each of C classes, their mean m, `M =
    [m_c - m]` and the output layer's matrix W (Papyan, Han and Donoho 2020):

        nc1          tr(S_W S_B^+) / C: spread within classes by spread between (figure 6)
        nc2_lengths  std_c |m_c - m| / mean_c |m_c - m|: equal lengths (figure 2)
        nc2_angles   std over pairs of cos(m_c - m, m_d - m): equal angles (figure 3)
        nc2_simplex  mean over pairs of |cos(m_c - m, m_d - m) + 1 / (C - 1)|: the widest angles (figure 4)
        nc2_rows     nc2_lengths of the rows of W
        nc3          |W^T / |W|_F - M / |M|_F|_F^2: rows of W as the class means (figure 5), from 0 to 4
        nc4          share of examples where the network and the nearest class mean disagree (figure 7)

    All are zero at collapse. `S_W` is the covariance within classes and `S_B = M M^T / C` that between, with
    every class counting equally (the paper's classes are balanced, and so are these where they are); std are
    population ones. Unchanged by a common factor on the features; nc1, nc2 and nc4 also by rotations of them,
    nc3 by rotations of features and W together.

    Evaluation mode; sums in float64 of features in the precision of the network. Where two class means are
    the same to rounding, nc1 leaves out the directions in which they are (pseudo-inverse); NaN of nc2 and nc3
    where a class mean is the mean of all. `nc2_angles` of two classes is zero whatever they do.

    Args:
        on: the split, all of it; every class must have an example in it.

    Returns:
        Each `(members,)`.
    """
    readout = _readout(runs.network)
    inputs, targets = runs.split(on)
    classes = runs.network.outputs
    labels = one_hot(targets, classes).double()
    counts = labels.sum(1)
    if bool((counts == 0).any()):
        raise Problem(
            "out-of-range",
            f"a class has no example in `{on}`",
            help="measure on a split that has every class",
        )
    features, answers = _features(runs, inputs)
    means = matmul(features, labels) / counts[:, None]
    middle = means - means.mean(2, keepdim=True)
    weight = matrices(runs)[f"{readout}.weight"]
    lengths, cosines = _shape(middle)
    pairs = torch.triu_indices(classes, classes, 1, device=runs.device)
    across = cosines[:, pairs[0], pairs[1]]
    return {
        "nc1": _spread(features, labels, counts, means, middle),
        "nc2_lengths": _variation(lengths),
        "nc2_angles": _deviation(across),
        "nc2_simplex": (across + 1 / (classes - 1)).abs().mean(1),
        "nc2_rows": _variation(weight.square().sum(2).sqrt()),
        "nc3": (_unit(weight.mT) - _unit(middle)).flatten(1).square().sum(1),
        "nc4": (_nearest(features, means) != answers).double().mean(1),
    }


def _readout(network: Network) -> str:
    """The name of the output layer. Raises Problem where it is not linear in the features."""
    last = network.layers[-1] if isinstance(network, Layered) else None
    if not isinstance(last, Linear) or network.outputs < 2:
        raise Problem(
            "unknown-layers",
            "neural collapse is about a linear output layer of two classes or more",
            help="use a model that is a row of layers, such as `mlp` or `cnn`, on two classes or more",
        )
    return last.name


@torch.no_grad()
def _features(runs: Runs, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """What the output layer takes `(M, features, N)`, float64, and the largest output of each example."""
    *before, readout = layered(runs.network).layers
    values = Pass(runs.state.parameters, runs.state.buffers, training=False)
    found, answers = [], []
    for block in torch.split(inputs, BLOCK, dim=1):
        stack = feature_major(block)
        for layer in before:
            stack = values.through(layer, stack)
        found.append(stack.double())
        answers.append(values.through(readout, stack).max(1).indices)
    return torch.cat(found, 2), torch.cat(answers, 1)


def _spread(features: Tensor, labels: Tensor, counts: Tensor, means: Tensor, middle: Tensor) -> Tensor:
    """`tr(S_W S_B^+) / C`, with C x C matrices alone.

    With `G = M^T M` and the deviations d of examples from their class means, `S_B^+ = C M G^+ G^+ M^T`, so
    that `tr(S_W S_B^+) = C mean |G^+ M^T d|^2`, the mean over the examples of a class and then over classes.
    """
    deviations = features - matmul(means, labels.mT)
    seen = matmul(middle.mT, deviations)
    inverse = torch.stack([torch.linalg.pinv(own, hermitian=True) for own in matmul(middle.mT, middle)])
    squares = matmul(inverse, seen).square().sum(1)
    within = matmul(squares[:, None], labels / counts[:, None])[:, 0]
    return within.mean(1)


def _shape(middle: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths `(M, C)` of the class means and the cosines of their angles `(M, C, C)`; NaN where one has no length."""
    gram = matmul(middle.mT, middle)
    lengths = gram.diagonal(dim1=1, dim2=2).sqrt()
    floor = 1e-12 * middle.abs().flatten(1).amax(1)
    known = torch.where(lengths > floor[:, None], lengths, torch.nan)
    return known, gram / (known[:, :, None] * known[:, None])


def _variation(lengths: Tensor) -> Tensor:
    return _deviation(lengths) / lengths.mean(1)


def _deviation(values: Tensor) -> Tensor:
    """Standard deviation along the last axis; `torch.std` rounds by the number of rows."""
    return (values - values.mean(1, keepdim=True)).square().mean(1).sqrt()


def _unit(value: Tensor) -> Tensor:
    """Of Frobenius norm 1; NaN where all is zero."""
    norm = value.flatten(1).square().sum(1).sqrt()
    return value / torch.where(norm > 0, norm, torch.nan)[:, None, None]


def _nearest(features: Tensor, means: Tensor) -> Tensor:
    """The class whose mean is nearest to each example, `(M, N)`."""
    products = matmul(means.mT, features)
    return (means.square().sum(1)[:, :, None] - 2 * products).min(1).indices
