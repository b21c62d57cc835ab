"""Heights by hand; alignment takes a planted permutation out; REPAIR restores what averaging loses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.landscape.barrier import barrier
from gendsl_runtime.analyses.landscape.interpolation import interpolation
from gendsl_runtime.measures.alignment import permuted
from gendsl_runtime.measures.symmetry import groups
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.problem import Problem
from tests.components.analyses.landscape.pictures import images


def test_heights_of_the_line(make_runs):
    runs, other = make_runs((0, 1)), make_runs((5, 6))
    line = interpolation(runs, other=other, points=9)
    t = line["position"]
    for above, level in {
        "line": lambda v: (1 - t) * v[0] + t * v[-1],
        "mean": lambda v: (v[0] + v[-1]) / 2,
        "worse": lambda v: max(v[0], v[-1]),
    }.items():
        found = barrier(runs, other=other, points=9, above=above)
        for member in range(2):
            for name, quantity in (("barrier", "loss"), ("error_barrier", "error")):
                values = line[quantity][member]
                assert found[name][member] == pytest.approx((values - level(values)).max(), abs=1e-15)
        assert (found["loss"] == line["loss"]).all()
    assert (barrier(runs, other=other)["barrier"] >= 0).all()


@pytest.mark.parametrize("align", ["weights", "activations"])
@pytest.mark.parametrize(
    "network",
    [mlp((1, 8, 8), 3, hidden=[8, 8]), resnet((1, 8, 8), 3, width=8, stages=1, norm="batch")],
    ids=["mlp", "resnet"],
)
def test_alignment_takes_a_permutation_out(align, network):
    runs = images(network, train=64)
    runs = replace(runs, state=runs.network.init([0, 1]))
    units, chance = groups(network), np.random.default_rng(0)
    other = replace(runs, state=permuted(runs.state, units, [chance.permutation(one.size) for one in units]))
    plain, found = barrier(runs, other=other), barrier(runs, other=other, align=align)
    assert (plain["distance"] > 1).all() and (found["distance"] == 0).all()
    assert (found["distance_before"] == plain["distance"]).all()
    # The same weights at every place; what is left are statistics set anew between the ends.
    still = barrier(runs, other=runs)
    assert found["barrier"] == pytest.approx(still["barrier"], abs=1e-6)


def test_two_stacks_have_networks_of_their_own(make_runs):
    """As the engine builds them: equal, and not the same object."""
    for align in ("weights", "activations"):
        runs, other = (make_runs((0, 1), hidden=[6, 5], train=200) for _ in range(2))
        chance = np.random.default_rng(0)
        units = groups(runs.network)
        other = replace(
            other, state=permuted(runs.state, units, [chance.permutation(one.size) for one in units])
        )
        assert (barrier(runs, other=other, align=align, repair=True)["distance"] == 0).all()


def test_equal_weights_in_other_layers_are_refused(make_runs):
    with pytest.raises(Problem, match="equal weights in different layers"):
        barrier(make_runs(activation="relu"), other=make_runs(activation="tanh"))


def test_the_middle_of_two_networks_is_repaired(make_runs):
    """Orthogonal weights of equal size: in the middle units have half the variance, and REPAIR gives it back."""
    network = mlp((3,), 3, hidden=[64], activation="identity", bias=True)
    runs, other = (make_runs((seed,), network=network, train=400) for seed in (0, 1))
    other = replace(other, data=runs.data)
    plain = barrier(runs, other=other, points=3)
    found = barrier(runs, other=other, points=3, repair=True)
    assert (found["loss"][:, [0, 2]] == plain["loss"][:, [0, 2]]).all()
    x, y = (one[0] for one in runs.split("train"))
    one, two = (
        {name: value[0].double() for name, value in run.state.parameters.items()} for run in (runs, other)
    )
    ends = [x.double() @ w["hidden.0.weight"].T + w["hidden.0.bias"] for w in (one, two)]
    middle = (ends[0] + ends[1]) / 2
    deviations = [(end.var(0, unbiased=False) + 1e-5).sqrt() for end in (*ends, middle)]
    h = (middle - middle.mean(0)) * (deviations[0] + deviations[1]) / 2 / deviations[2]
    h = h + (ends[0].mean(0) + ends[1].mean(0)) / 2
    outputs = (
        h @ ((one["output.weight"] + two["output.weight"]) / 2).T
        + (one["output.bias"] + two["output.bias"]) / 2
    )
    assert found["loss"][0, 1] == pytest.approx(
        float(torch.nn.functional.cross_entropy(outputs, y)), rel=1e-5
    )


def test_a_member_does_not_depend_on_its_stack():
    runs = images(resnet((1, 8, 8), 3, width=4, stages=1), train=40, seeds=(0, 1, 2))
    other = replace(runs, state=runs.network.init([7, 8, 9]))
    for align, repair in (("weights", True), ("activations", False)):
        whole = barrier(runs, other=other, points=5, align=align, repair=repair)
        alone = barrier(runs.select([1]), other=other.select([1]), points=5, align=align, repair=repair)
        for name in ("barrier", "error_barrier", "loss", "error", "distance"):
            assert (alone[name][0] == whole[name][1]).all(), name
