"""Counts by hand."""

from __future__ import annotations

from gendsl_runtime.analyses.complexity.parameter_count import parameter_count


def test_counts_of_a_small_network(make_runs):
    given = parameter_count(make_runs(features=3, classes=2, hidden=[5, 4]))
    assert given["weights"].tolist() == [15 + 20 + 8] * 3
    assert given["biases"].tolist() == [5 + 4 + 2] * 3
    assert given["parameters"].tolist() == [54] * 3
