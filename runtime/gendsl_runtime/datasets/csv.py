"""The user's own table."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import Flag, InputFile, Seed, Share, Text, dataset
from gendsl_runtime.data import Dataset, columns
from gendsl_runtime.data.splitting import cut, parts, standard
from gendsl_runtime.data.table import Table, read

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


@dataset(version=1, task="task", splits={"train": None, "held_back": None, "test": None})
def csv(
    path: InputFile,
    *,
    target: Text,
    task: Literal["classification", "regression"] = "classification",
    train: Share = 0.7,
    held_back: Share = 0.0,
    test: Share = 0.3,
    ignore: list[Text] = (),  # type: ignore[assignment]
    categorical: list[Text] = (),  # type: ignore[assignment]
    missing: Literal["refuse", "drop"] = "refuse",
    separator: Literal["comma", "semicolon", "tab"] = "comma",
    standardise: Flag = True,
    seed: Seed = 0,
) -> Dataset:
    """A table of your own: a CSV file whose first line names the columns.

    Every column but the target is an input. A column of numbers is one input coordinate; a column of words,
    or one named in `categorical`, is one coordinate for each word that occurs in it, in alphabetical order: 1
    where the row has it, 0 elsewhere. Inputs have shape `(coordinates,)`.

    Classes are the different values of the target, numbered in numerical or alphabetical order; a regression
    has one output, in the unit of the column.

    Rows are cut into disjoint splits at random. By default each input is standardised: minus its mean over
    `train`, over its standard deviation there. Targets are never scaled.

    An empty cell, `NA`, `NaN`, `null`, `none` or `?` is a missing value. UTF-8 text, at most 100 MB. Whatever
    does not fit is refused with its line and column, nothing is guessed.

    Args:
        path: the file, relative to the spec.
        target: the column to be predicted.
        task: whether the target is a class or a number.
        train: share of the rows to train on.
        held_back: share set aside, for `with_wrong_labels` or for choosing parameters.
        test: share to test on; the three add up to 100% at most.
        ignore: columns that are left out, such as a number of the row.
        categorical: columns of numbers that are names of groups.
        missing: whether a row with a missing value is an error, or left out.
        separator: what stands between two values.
        standardise: whether inputs are standardised; otherwise they are as in the file.
        seed: seed of the splits.

    Example:
        dataset houses = csv("houses.csv", target="price", task=regression, ignore=["id"])
    """
    table = read(path, separator=SEPARATORS[separator])
    names = columns.used(table, target=target, ignore=ignore, categorical=categorical)
    table = _complete(table, [*names, target], drops=missing == "drop")
    inputs = columns.inputs(table, target=target, ignore=ignore, categorical=categorical)
    if task == "classification":
        targets, outputs = columns.labels(table, target)
    else:
        targets, outputs = columns.values(table, target), 1
    sizes = columns.counts(len(inputs), train=train, held_back=held_back, test=test, file=table.file)
    places = parts(len(inputs), **sizes, seed=seed, source=table.file)
    data = Dataset(cut(inputs, targets, places), task=task, shape=inputs.shape[1:], outputs=outputs)
    return standard(data) if standardise else data


def _complete(table: Table, names: list[str], *, drops: bool) -> Table:
    """The table without missing values in the columns used."""
    gaps = list(table.gaps(names))
    if not gaps:
        return table
    if not drops:
        row, column = min(gaps, key=lambda gap: gap[0])
        count = len({row for row, _ in gaps})
        raise table.problem(
            f"the value is missing ({count} of {len(table.lines)} rows have a missing value)",
            row=row,
            column=column,
            help="fill it in, leave its column out with `ignore`, or leave such rows out with `missing=drop`",
        )
    whole = table.without({row for row, _ in gaps})
    if not whole.lines:
        raise table.problem(
            "every row has a missing value", help="leave out the columns that are mostly empty with `ignore`"
        )
    return whole
