"""Topology of representations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gendsl_runtime.component import Count, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.measures.persistence import bars
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="numbers",
    gives={
        "betti": "1 [layer]",
        "persistence": "1 [layer]",
        "entropy": "nats [layer]",
        "longest": "1 [layer]",
        "distance": "1 [layer]",
        "used": "1",
    },
    axes={"layer": "the inputs, then hidden layer or outputs, by name"},
    paper=["naitzat2020topology", "edelsbrunner2002topological"],
)
def topology(
    runs: Runs,
    *,
    on: SplitName = "train",
    dimension: Natural = 0,
    scale: Positive = 0.5,
    examples: Count = 100,
    of_class: Natural | None = None,
) -> dict[str, np.ndarray]:
    """Connected components, or holes, of the cloud of points that the examples are in each layer.

    Vietoris-Rips filtration of the Euclidean distances, coefficients in Z/2 (Edelsbrunner, Letscher and
    Zomorodian 2002): a class of homology lives from the distance at which it appears to that at which it is
    filled. All distances are in units of the layer's median `distance` between two examples, so that nothing
    depends on the scale of the layer. `betti` is the number of classes alive at `scale` (Naitzat, Zhitnikov
    and Lim 2020, who follow it through the layers for one class of examples, here `of_class`), `persistence`
    the sum of lives, `longest` the longest one, and `entropy` that of the shares of the lives. The component
    that never ends counts in `betti` alone. Where all points coincide there is one component, distance and
    lives are 0.

    Dimension 0, connected components, is exact, by the spanning tree of least length. Higher ones are
    computed by `gudhi`, an optional extra (`pip install "gendsl[topology]"`), and take memory with the
    (dimension + 2)-th power of the examples. Unchanged by rotations, shifts and scaling of a layer and by the
    order of its units. Float64 distances of float32 representations; evaluation mode.

    Args:
        on: the split.
        dimension: 0 components, 1 loops, 2 voids.
        scale: distance at which classes are counted, in medians.
        examples: how many are used, drawn from the run's seed without replacement.
        of_class: only examples of this class (a number from 0); all where nothing is said.

    Raises:
        Problem: fewer than two examples, or a dimension above 0 without gudhi.
    """
    rows, used = [], []
    for member in range(runs.members):
        chosen = _chosen(runs, member, on, examples, of_class)
        used.append(len(chosen))
        one = runs.select([member])
        inputs = one.split(on)[0][:, chosen]
        stacks = {"input": inputs.flatten(2).transpose(1, 2), **hidden(one, inputs)}
        clouds = [stack[0].double().cpu().numpy().T for stack in stacks.values()]
        rows.append([_summary(cloud, dimension, scale) for cloud in clouds])
    table = np.array(rows).transpose(2, 0, 1)
    return {
        **dict(zip(Summary._fields, table, strict=True)),
        "used": np.array(used),
        "layer": np.array(list(stacks)),
    }


class Summary(NamedTuple):
    """The figures of one cloud."""

    betti: float
    persistence: float
    entropy: float
    longest: float
    distance: float


def _chosen(runs: Runs, member: int, on: str, examples: int, of_class: int | None) -> np.ndarray:
    targets = runs.split(on)[1][member]
    if of_class is not None and runs.data[member].task != "classification":
        raise Problem("bad-data", "a regression has no classes", help="leave out `of_class`")
    places = np.arange(len(targets))
    if of_class is not None:
        places = np.flatnonzero(targets.cpu().numpy() == of_class)
    chance = generator("topology", runs.seeds[member])
    chosen = np.sort(chance.permutation(places)[:examples])
    if len(chosen) < 2:
        raise Problem("bad-data", f"a cloud of {len(chosen)} examples has no topology to speak of")
    return chosen


def _summary(cloud: np.ndarray, dimension: int, scale: float) -> Summary:
    """Figures of points `(n, features)`."""
    gaps = np.sqrt(np.maximum(np.square(cloud[:, None] - cloud[None]).sum(-1), 0.0))
    unit = float(np.median(gaps[np.triu_indices(len(cloud), 1)]))
    # Where more than half of all pairs coincide the mean stands in; 0 where all do.
    unit = unit or float(gaps.mean())
    if unit == 0:
        return Summary(float(dimension == 0), 0.0, 0.0, 0.0, 0.0)
    found = bars(cloud / unit, dimension=dimension)
    lives = found[:, 1] - found[:, 0]
    alive = float(((found[:, 0] <= scale) & (found[:, 1] > scale)).sum() + (dimension == 0))
    total = lives.sum()
    if total == 0:
        return Summary(alive, 0.0, 0.0, 0.0, unit)
    shares = lives[lives > 0] / total
    entropy = float(-(shares * np.log(shares)).sum())
    return Summary(alive, float(total), entropy, float(lives.max()), unit)
