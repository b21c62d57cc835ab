"""Columns of a user's table as numbers: types found out or given, categories one-hot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gendsl_runtime.data.table import Table, is_number
from gendsl_runtime.problem import Problem

MOST_CATEGORIES = 100
"""A column of more different words is a name or a text rather than a category."""
MOST_CLASSES = 1000
LARGEST = float(np.finfo(np.float32).max)


def inputs(table: Table, *, target: str, ignore: Sequence[str], categorical: Sequence[str]) -> np.ndarray:
    """Every column but the target's and the ignored ones, in the order of the file, float64 `(rows,
    coordinates)`.

    A column of numbers is one coordinate; one of words is a coordinate for each word, in alphabetical order,
    1 where the row has it and 0 elsewhere.
    """
    names = used(table, target=target, ignore=ignore, categorical=categorical)
    pieces = [
        _one_hot(table, name)
        if name in categorical or not _is_numeric(table, name)
        else _numbers(table, name)
        for name in names
    ]
    return np.concatenate(pieces, axis=1)


def used(table: Table, *, target: str, ignore: Sequence[str], categorical: Sequence[str]) -> list[str]:
    """Names of the input columns; raises Problem for a name that is not in the file, or if none is left."""
    for name in (target, *ignore, *categorical):
        if name not in table.columns:
            raise table.problem(f"there is no column `{name}`", help=_nearest(name, list(table.columns)))
    names = [name for name in table.columns if name != target and name not in ignore]
    if target in ignore:
        raise table.problem("the target is also left out", column=target, help="take it out of `ignore`")
    if not names:
        raise table.problem("no column is left to predict from", help="the table needs more than its target")
    return names


def labels(table: Table, target: str) -> tuple[np.ndarray, int]:
    """Classes of the target column, numbered in numerical or alphabetical order, and how many there are."""
    cells = table.columns[target]
    is_numeric = all(is_number(cell) for cell in cells)
    classes = sorted(set(cells), key=lambda cell: (float(cell), cell) if is_numeric else (0.0, cell))
    if len(classes) == 1:
        raise table.problem(
            f"every row is of the same class, `{_short(classes[0])}`",
            column=target,
            help="a classification needs at least two classes",
        )
    if len(classes) > MOST_CLASSES or (is_numeric and len(classes) > max(20, len(cells) / 2)):
        raise table.problem(
            f"{len(classes)} different values in {len(cells)} rows, which are no classes",
            column=target,
            help="say `task=regression`"
            if is_numeric
            else "name the column that holds the class as `target`",
        )
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place[cell] for cell in cells], dtype=np.int64), len(classes)


def values(table: Table, target: str) -> np.ndarray:
    """Numbers of the target column, `(rows, 1)`."""
    for row, cell in enumerate(table.columns[target]):
        if not is_number(cell):
            raise table.problem(
                f"`{_short(cell)}` is not a number, and a regression predicts numbers",
                row=row,
                column=target,
                help="correct the value, or say `task=classification`",
            )
    return _numbers(table, target)


def _is_numeric(table: Table, name: str) -> bool:
    """Whether a column holds numbers; raises Problem where it mostly does."""
    cells = table.columns[name]
    wrong = [row for row, cell in enumerate(cells) if not is_number(cell)]
    if not wrong or 2 * len(wrong) >= len(cells):
        return not wrong
    raise table.problem(
        f"`{_short(cells[wrong[0]])}` is not a number, like most values of the column",
        row=wrong[0],
        column=name,
        help=f'correct the value, or say `categorical=["{name}"]` if these are names of groups',
    )


def _numbers(table: Table, name: str) -> np.ndarray:
    numbers = np.array([float(cell) for cell in table.columns[name]])
    too_large = np.abs(numbers) > LARGEST
    if too_large.any():
        row = int(too_large.argmax())
        raise table.problem(
            f"{_short(table.columns[name][row])} is too large for single precision",
            row=row,
            column=name,
            help="give the column in a larger unit",
        )
    return numbers[:, None]


def _one_hot(table: Table, name: str) -> np.ndarray:
    words, places = np.unique(np.array(table.columns[name], dtype=object).astype(str), return_inverse=True)
    if len(words) > MOST_CATEGORIES:
        raise table.problem(
            f"{len(words)} different words, too many for a category",
            column=name,
            help=f'leave the column out with `ignore=["{name}"]`, or group its values',
        )
    return np.eye(len(words))[places]


def _short(text: str) -> str:
    """A cell as it stands in a message."""
    text = " ".join(text.split())
    return text if len(text) <= 30 else text[:29] + "…"


def _nearest(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    shown = ", ".join(f"`{_short(column)}`" for column in known[:10])
    return f"its columns are {shown}" + (f" and {len(known) - 10} more" if len(known) > 10 else "")


def counts(rows: int, *, train: float, held_back: float, test: float, file: str) -> dict[str, int]:
    """Rows of each split for shares of the whole, rounded down so that they fit; raises Problem."""
    total = train + held_back + test
    if total > 1 + 1e-9:
        raise Problem(
            "bad-data",
            f"the splits of {file} add up to {total:.0%}: {train:.0%} train, {held_back:.0%} held_back, "
            f"{test:.0%} test",
            help="make them add up to 100% at most",
        )
    # The small number undoes that 0.7 * 10 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996.
    sizes = {
        name: int(share * rows + 1e-9)
        for name, share in (("train", train), ("held_back", held_back), ("test", test))
    }
    if sizes["train"] == 0:
        raise Problem(
            "bad-data",
            f"{train:.0%} of the {rows} rows of {file} is no row to train on",
            help="raise `train`",
        )
    return sizes
