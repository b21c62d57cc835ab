"""Alignment with the targets, against the sums of the papers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.kernels.kernel_alignment import kernel_alignment
from gendsl_runtime.analyses.kernels.tangent_kernel import tangent_kernel
from gendsl_runtime.measures.kernels import alignment, centred
from gendsl_runtime.runs import Runs


def test_two_classes_are_plus_and_minus_one(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(classes=2, train=12)
    grams = np.asarray(tangent_kernel(runs)["kernel"])
    found = kernel_alignment(runs)
    labels = runs.split("train")[1]
    for member, gram in enumerate(grams):
        y = 2.0 * labels[member].numpy() - 1
        assert float(found["alignment"][member]) == pytest.approx(y @ gram @ y / (12 * np.linalg.norm(gram)))
        middle = np.eye(12) - 1 / 12
        k, l = middle @ gram @ middle, middle @ np.outer(y, y) @ middle
        expected = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
        assert float(found["centred"][member]) == pytest.approx(expected)


def test_a_constant_moves_only_the_plain_one() -> None:
    chance = torch.Generator().manual_seed(0)
    features = torch.randn(9, 4, generator=chance, dtype=torch.float64)
    gram, ideal = features @ features.T, torch.outer(features[:, 0], features[:, 0])
    moved = gram + 5
    assert float(alignment(centred(moved), centred(ideal))) == pytest.approx(
        float(alignment(centred(gram), centred(ideal)))
    )
    assert abs(float(alignment(moved, ideal)) - float(alignment(gram, ideal))) > 0.1
    assert float(alignment(3 * gram, gram)) == pytest.approx(1)
