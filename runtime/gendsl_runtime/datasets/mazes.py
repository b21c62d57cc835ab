"""Mazes and their solutions."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import NO_LABEL, Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator

LARGEST = 4 * 2**30
"""Bytes of all mazes together."""


@dataset(
    version=1,
    task="labelling",
    shape=(3, "side", "side"),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="schwarzschild2021learn",
)
def mazes(
    *,
    side: Count = 9,
    train: Count = 2000,
    held_back: Natural = 0,
    test: Natural = 200,
    seed: Seed = 0,
) -> Dataset:
    """Perfect mazes with a start and an end, and which places lie on the one way between them.

    Cells and the walls between them are pixels: `side` x `side` of them for `(side - 1) / 2` cells a side. Passages are
    dug by depth-first search in random order from a random cell, so there is exactly one way between any two cells;
    start and end are two different cells at random (Schwarzschild et al. 2021, whose pictures have two pixels for each
    of ours and a border of three). Channels: floor, start, end, 1 or 0. The label is 1 on the way, ends included, and 0
    elsewhere on the floor; walls are not asked about. Of few cells there are few mazes, which come up again and again
    in all splits: 48 in all with a side of 5, 6,336 with a side of 7.

    Args:
        side: pixels along each side, odd.
        train: training mazes.
        held_back: further mazes.
        test: test mazes.
        seed: seed of the mazes. It is not the replicate's unless `seed = seed` says so.

    Paper:
        Schwarzschild et al. (2021), Can You Learn an Algorithm? Generalizing from Easy to Hard Problems with Recurrent
        Networks.

    Example:
        dataset small = mazes(side=9, train=8000)
    """
    if side % 2 == 0 or side < 5:
        raise Problem(
            "out-of-range",
            f"a maze has an odd side of at least 5 pixels, not {side}",
            help=f"side={max(5, side | 1)}",
        )
    size = 4 * 3 * side**2 * (train + held_back + test)
    if size > LARGEST:
        raise Problem(
            "too-large",
            f"mazes of {side} x {side} pixels would take {size / 1e9:.3g} GB",
            help="make fewer or smaller ones",
        )
    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {
        name: _split(generator(f"mazes.{name}", seed), side, count) for name, count in sizes.items() if count
    }
    return Dataset(splits, "labelling", (3, side, side), 2)


def _split(chance: np.random.Generator, side: int, count: int) -> Split:
    made = [maze(chance, side // 2) for _ in range(count)]
    inputs = np.stack([inputs for inputs, _ in made]).astype(np.float32)
    labels = np.stack([labels.reshape(-1) for _, labels in made])
    return Split(torch.from_numpy(inputs), torch.from_numpy(labels.astype(np.int64)))


def maze(chance: np.random.Generator, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Channels `(3, side, side)` and labels `(side, side)` of one maze of `cells` x `cells` cells."""
    parents = _dug(chance, cells)
    side = 2 * cells + 1
    floor = np.zeros((side, side), dtype=bool)
    for cell, parent in parents.items():
        floor[_pixel(cell)] = floor[_between(cell, parent)] = True
    first, last = chance.choice(cells * cells, 2, replace=False)
    ends = [divmod(int(place), cells) for place in (first, last)]
    labels = np.where(floor, 0, NO_LABEL)
    ways = [_way(parents, end) for end in ends]
    shared = set(ways[0]) & set(ways[1])
    for way in ways:
        # Up to the first cell that both ways to the root go through.
        meeting = next(place for place, cell in enumerate(way) if cell in shared)
        for cell, parent in zip(way[: meeting + 1], [*way[1 : meeting + 1], way[meeting]], strict=True):
            labels[_pixel(cell)] = labels[_between(cell, parent)] = 1
    marks = np.zeros((2, side, side), dtype=bool)
    for mark, end in zip(marks, ends, strict=True):
        mark[_pixel(end)] = True
    return np.concatenate([floor[None], marks]), labels


Cell = tuple[int, int]


def _dug(chance: np.random.Generator, cells: int) -> dict[Cell, Cell]:
    """For each cell the one from which it was reached; the root is its own."""
    root = (int(chance.integers(cells)), int(chance.integers(cells)))
    parents, stack = {root: root}, [root]
    while stack:
        y, x = stack[-1]
        around = ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
        free = [c for c in around if 0 <= c[0] < cells and 0 <= c[1] < cells and c not in parents]
        if free:
            chosen = free[int(chance.integers(len(free)))]
            parents[chosen] = (y, x)
            stack.append(chosen)
        else:
            stack.pop()
    return parents


def _way(parents: dict[Cell, Cell], cell: Cell) -> list[Cell]:
    """From a cell to the root."""
    way = [cell]
    while parents[way[-1]] != way[-1]:
        way.append(parents[way[-1]])
    return way


def _pixel(cell: Cell) -> Cell:
    return 2 * cell[0] + 1, 2 * cell[1] + 1


def _between(cell: Cell, other: Cell) -> Cell:
    """The pixel between two neighbours; of a cell and itself, its own."""
    return cell[0] + other[0] + 1, cell[1] + other[1] + 1
