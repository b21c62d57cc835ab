"""Curvature and sharpness asked for in a spec: along training, between two epochs, by layer."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.run import RunOptions, run

SPEC = """
seeds 0..2
dataset moons = two_moons(train=40, test=60)

train fit {
    model = mlp(hidden=[5], activation=relu)
    dataset = moons
    optimizer = sgd(lr=0.3)
    batch = 10
    budget = 4 epochs
}

analysis sharpness = hessian_top(fit.at(epoch=[0, 1, 4]), count=2)
analysis same = hessian_top(fit, count=2, operator=hessian, samples=0)
analysis plain = hessian_top(fit, count=2)
analysis gauss_newton = hessian_trace(fit, operator=ggn, probes=4)
analysis overlap = top_overlap(fit.at(epoch=1), other=fit, count=2)
analysis blocks = hessian_blocks(fit, probes=4)
analysis moved = rescaling(fit, samples=4)
analysis sam = sam_sharpness(fit)

claim told_apart: mean(blocks.top where layer == "output") > 0 at 95%
"""


def test_along_training_between_epochs_and_by_layer(tmp_path):
    path = tmp_path / "curvature.gen"
    path.write_text(SPEC)
    results = run(path, RunOptions(store=tmp_path / "store")).results
    assert not results.failures
    along = results["sharpness"]["eigenvalue"]
    assert set(along.dims) == {"epoch", "seed", "rank"}
    assert list(along["epoch"].values) == [0, 1, 4]
    last = along.sel(epoch=4).transpose(*results["plain"]["eigenvalue"].dims)
    np.testing.assert_array_equal(last.values, results["plain"]["eigenvalue"].values)
    np.testing.assert_array_equal(results["same"]["eigenvalue"].values, results["plain"]["eigenvalue"].values)
    assert (results["overlap"]["overlap"] <= 1 + 1e-12).all()
    assert list(results["blocks"]["layer"].values) == ["hidden.0", "output"]
    assert list(results["moved"]["measure"].values)[:2] == ["largest eigenvalue", "trace"]
    assert (results["moved"]["output_change"] < 1e-5).all()
