"""The chances of mazes: every spanning tree as often as a depth-first search in random order makes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np

from gendsl_runtime.datasets.mazes import maze

Cell = tuple[int, int]
Tree = frozenset[frozenset[Cell]]
CELLS, COUNT = 3, 6000


def around(cell: Cell) -> list[Cell]:
    y, x = cell
    found = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return [one for one in found if min(one) >= 0 and max(one) < CELLS]


def chances() -> dict[Tree, Fraction]:
    """All choices of the search followed at once, from every root; exact."""
    found: dict[Tree, Fraction] = defaultdict(Fraction)

    def follow(stack: tuple[Cell, ...], seen: frozenset[Cell], dug: Tree, chance: Fraction) -> None:
        if not stack:
            found[dug] += chance
            return
        free = [cell for cell in around(stack[-1]) if cell not in seen]
        if not free:
            follow(stack[:-1], seen, dug, chance)
        for cell in free:
            edge = frozenset((stack[-1], cell))
            follow((*stack, cell), seen | {cell}, dug | {edge}, chance / len(free))

    for place in range(CELLS**2):
        root = divmod(place, CELLS)
        follow((root,), frozenset([root]), frozenset(), Fraction(1, CELLS**2))
    return found


def dug(floor: np.ndarray) -> Tree:
    """The pairs of neighbours between which there is no wall."""
    cells = [divmod(place, CELLS) for place in range(CELLS**2)]
    pairs = [(one, other) for one in cells for other in around(one) if one < other]
    return frozenset(
        frozenset(pair) for pair in pairs if floor[pair[0][0] + pair[1][0] + 1, pair[0][1] + pair[1][1] + 1]
    )


def surprise(counts: Counter, wanted: dict) -> float:
    """Chi squared, in standard deviations from its mean."""
    assert set(counts) <= set(wanted)
    squares = sum((counts[key] - mean) ** 2 / mean for key, mean in wanted.items())
    freedom = len(wanted) - 1
    return abs(squares - freedom) / (2 * freedom) ** 0.5


def test_trees_and_ends_come_with_their_chances() -> None:
    """88 of the 192 spanning trees of 3 x 3 cells, and all 72 ordered pairs of ends; each within 5 deviations."""
    exact = chances()
    assert sum(exact.values()) == 1 and len(exact) == 88
    chance, trees, ends = np.random.default_rng(0), Counter(), Counter()
    for _ in range(COUNT):
        (floor, start, end), _labels = maze(chance, CELLS)
        trees[dug(floor)] += 1
        ends[tuple(np.argwhere(start)[0]), tuple(np.argwhere(end)[0])] += 1
    assert surprise(trees, {tree: float(share) * COUNT for tree, share in exact.items()}) < 5
    assert len(ends) == 72 and all(one != other for one, other in ends)
    assert surprise(ends, dict.fromkeys(ends, COUNT / 72)) < 5
