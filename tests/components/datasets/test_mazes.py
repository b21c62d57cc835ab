"""Mazes against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from gendsl_runtime.data import NO_LABEL
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.problem import Problem


def graph(floor: np.ndarray) -> nx.Graph:
    """Places on the floor that touch."""
    found = nx.Graph()
    for y, x in zip(*np.nonzero(floor), strict=True):
        found.add_node((y, x))
        for other in ((y + 1, x), (y, x + 1)):
            if other[0] < len(floor) and other[1] < len(floor) and floor[other]:
                found.add_edge((y, x), other)
    return found


@pytest.mark.parametrize("side", [5, 9, 13])
def test_the_labels_are_the_only_way(side) -> None:
    data = mazes(side=side, train=40, test=10).checked("mazes")
    assert (data.shape, data.places) == ((3, side, side), side * side)
    for split in data.splits.values():
        for inputs, labels in zip(split.inputs.numpy(), split.targets.numpy(), strict=True):
            floor, start, end = inputs.astype(bool)
            assert (start.sum(), end.sum()) == (1, 1)
            places = graph(floor)
            assert nx.is_tree(places), "one way between any two places"
            assert all(floor[1::2, 1::2].ravel()), "every cell is reached"
            way = nx.shortest_path(places, *(tuple(np.argwhere(mark)[0]) for mark in (start, end)))
            expected = np.where(floor, 0, NO_LABEL)
            expected[tuple(np.array(way).T)] = 1
            np.testing.assert_array_equal(labels.reshape(side, side), expected)


def test_sides_are_odd() -> None:
    with pytest.raises(Problem, match="odd side"):
        mazes(side=10)


def test_splits_differ_and_seeds_count() -> None:
    data = mazes(side=5, train=30, test=30)
    assert not np.array_equal(data.splits["train"].inputs, data.splits["test"].inputs)
    assert mazes(side=5, train=30, test=30).pack() == data.pack()
    assert mazes(side=5, train=30, test=30, seed=2).pack() != data.pack()


def test_no_maze_is_too_small_or_too_large() -> None:
    with pytest.raises(Problem, match="at least 5") as caught:
        mazes(side=3)
    assert caught.value.help == "side=5"
    with pytest.raises(Problem, match="would take 24 GB"):
        mazes(side=10_001, train=15, test=5)


def test_of_four_cells_there_are_48() -> None:
    """4 spanning trees of a square, and 12 ordered pairs of ends."""
    data = mazes(side=5, train=1000, test=0)
    assert len({maze.tobytes() for maze in data.splits["train"].inputs.numpy()}) == 4 * 12
