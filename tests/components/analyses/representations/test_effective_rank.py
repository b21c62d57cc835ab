"""Ranks of representations against known spectra and scipy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from gendsl_runtime.analyses.representations.effective_rank import effective_rank
from gendsl_runtime.measures import spectra
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


@pytest.mark.parametrize("middle", [True, False])
def test_against_the_formulas(make_runs: Callable[..., Runs], middle: bool) -> None:
    runs = make_runs(hidden=[7, 30])
    found = {name: np.asarray(value) for name, value in effective_rank(runs, middle=middle).items()}
    values = hidden(runs, runs.split("test")[0])
    for place, value in enumerate(values.values()):
        for member in range(3):
            x = value[member].double().numpy().T
            s = np.linalg.svd(x - x.mean(0) * middle, compute_uv=False)
            s = s[s > 1e-12 * s[0]]
            assert found["effective_rank"][member, place] == pytest.approx(
                np.exp(entropy(s / s.sum())), rel=1e-9
            )
            assert found["participation_ratio"][member, place] == pytest.approx(
                (s**2).sum() ** 2 / (s**4).sum()
            )
            assert found["stable_rank"][member, place] == pytest.approx((s**2).sum() / s[0] ** 2)
    assert found["width"].tolist() == [[7, 30, 3]] * 3
    assert found["layer"].tolist() == ["hidden.0", "hidden.1", "output"]


def test_k_equal_values_are_k_directions() -> None:
    values = torch.tensor([2.0, 2, 2, 0, 0], dtype=torch.float64)
    assert float(spectra.effective_rank(values)) == pytest.approx(3)
    assert float(spectra.participation(values)) == pytest.approx(3)
    assert float(spectra.effective_rank(torch.zeros(3))) == float(spectra.participation(torch.zeros(3))) == 0


def test_a_constant_layer_has_none(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    found = effective_rank(runs)
    for name in ("effective_rank", "participation_ratio", "stable_rank"):
        np.testing.assert_array_equal(found[name], 0)
