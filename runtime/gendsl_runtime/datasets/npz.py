"""The user's own arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from gendsl_runtime.component import Count, InputFile, Positive, Seed, Share, Text, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.columns import counts
from gendsl_runtime.data.splitting import cut, parts
from gendsl_runtime.data.table import problem
from gendsl_runtime.problem import Problem

LARGEST = 4 * 2**30
"""Bytes of all arrays together, unpacked."""
SPLITS = ("train", "held_back", "test")


@dataset(
    version=1,
    task="task",
    inputs="vocabulary",
    splits={"train": None, "held_back": None, "test": None},
    neutral={"vocabulary": None},
)
def npz(
    path: InputFile,
    *,
    inputs: Text = "x",
    targets: Text = "y",
    task: Literal["classification", "regression"] = "classification",
    train: Share = 0.7,
    held_back: Share = 0.0,
    test: Share = 0.3,
    divide_by: Positive = 1.0,
    vocabulary: Count | None = None,
    seed: Seed = 0,
) -> Dataset:
    """Arrays of your own, saved with `numpy.savez`.

    Either one pair of arrays, `x` and `y`, whose examples are cut into disjoint splits at random; or a pair
    for each split, `x_train` and `y_train`, `x_test` and `y_test`, and if you like `x_held_back` and
    `y_held_back`, which are taken as they are (the shares are then without effect). The names before the
    underscore are the parameters `inputs` and `targets`.

    Inputs are numbers `(examples, ...)`: vectors `(examples, n)`, grey images `(examples, height, width)`,
    which become `(1, height, width)` each, or images with their channels first `(examples, channels, height,
    width)`. With a `vocabulary` they are tokens, whole numbers `(examples, steps)` for models of sequences.
    Classes are whole numbers or texts `(examples,)`, numbered anew from 0 in their order; a
    regression has numbers `(examples,)` or `(examples, outputs)`. Nothing is unpickled, so arrays of Python
    objects are refused.

    Args:
        path: the file, relative to the spec.
        inputs: name of the array of inputs, or what it begins with.
        targets: name of the array of targets, or what it begins with.
        task: whether targets are classes or numbers.
        train: share of the examples to train on.
        held_back: share set aside, for `with_wrong_labels` or for choosing parameters.
        test: share to test on; the three add up to 100% at most.
        divide_by: every input is divided by this; 255 for grey values. Without effect on tokens.
        vocabulary: how many tokens there are, numbered from 0; none where inputs are numbers.
        seed: seed of the splits.

    Example:
        dataset scans = npz("scans.npz", inputs="images", targets="diagnosis", divide_by=255)
    """
    file = str(path)
    arrays = _arrays(path, inputs, targets)
    has_splits = f"{inputs}_train" in arrays
    if has_splits:
        present = [split for split in SPLITS if f"{inputs}_{split}" in arrays]
        names = {split: (f"{inputs}_{split}", f"{targets}_{split}") for split in present}
    else:
        names = {"": (inputs, targets)}
    pairs = {split: _pair(file, arrays, *both, task, vocabulary) for split, both in names.items()}
    _check_alike(file, pairs)
    x, y, outputs = _joined(pairs, task)
    x = x if vocabulary is not None else x / np.float32(divide_by)
    if has_splits:
        sizes = {split: len(pairs[split][0]) if split in pairs else 0 for split in SPLITS}
        ends = np.cumsum(list(sizes.values()))
        places = {split: np.arange(end - sizes[split], end) for split, end in zip(SPLITS, ends)}
    else:
        sizes = counts(len(x), train=train, held_back=held_back, test=test, file=file)
        places = parts(len(x), **sizes, seed=seed, source=file)
    splits = cut(x, y, places, is_tokens=vocabulary is not None)
    return Dataset(splits, task=task, shape=x.shape[1:], outputs=outputs, vocabulary=vocabulary)


def _arrays(path: Path, inputs: str, targets: str) -> dict[str, np.ndarray]:
    """The arrays by name that may be meant; nothing else is read."""
    file = str(path)
    wanted = {
        f"{name}{end}" for name in (inputs, targets) for end in ("", *(f"_{split}" for split in SPLITS))
    }
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > LARGEST:
            raise problem(
                file,
                f"the arrays need {size / 2**30:.1f} GB, and at most {LARGEST / 2**30:.0f} GB are read",
                help="keep the examples you need",
            )
        with np.load(path, allow_pickle=False) as archive:
            names = list(archive.files)
            arrays = {name: np.asarray(archive[name]) for name in names if name in wanted}
    except OSError as error:
        raise problem(file, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (Problem, MemoryError):
        raise
    except Exception as error:  # zip archives and array headers can be broken in a dozen ways
        is_pickled = "Object arrays" in str(error)
        raise problem(
            file,
            "it holds Python objects, which are never loaded"
            if is_pickled
            else f"no file of arrays: {error}",
            help="save arrays of numbers or of text with `numpy.savez`",
        ) from None
    missing = [name for name in (inputs, targets) if not any(key.startswith(name) for key in arrays)]
    if missing:
        raise problem(file, f"there is no array `{missing[0]}`", help=_known(names))
    return arrays


def _pair(
    file: str,
    arrays: Mapping[str, np.ndarray],
    inputs: str,
    targets: str,
    task: str,
    vocabulary: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs float32 `(examples, *shape)`, or tokens, and targets of one split, as many of each."""
    for name in (inputs, targets):
        if name not in arrays:
            raise problem(file, f"there is no array `{name}`", help=_known(list(arrays)))
    found = arrays[inputs]
    x = _inputs(file, inputs, found) if vocabulary is None else _tokens(file, inputs, found, vocabulary)
    y = _targets(file, targets, arrays[targets], task)
    if len(x) != len(y):
        raise problem(
            file,
            f"{len(x)} inputs in `{inputs}` and {len(y)} targets in `{targets}`",
            help="every input needs one target",
        )
    return x, y


def _check_alike(file: str, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Raises Problem where the splits do not fit together."""
    first = next(iter(pairs.values()))
    for split, pair in pairs.items():
        for what, array, known in zip(("inputs", "targets"), pair, first):
            if array.shape[1:] != known.shape[1:] or array.dtype.kind != known.dtype.kind:
                raise problem(
                    file,
                    f"the {what} of `{split}` are {array.dtype} of shape {array.shape[1:]} each, "
                    f"those of `train` {known.dtype} of shape {known.shape[1:]}",
                    help="all splits need examples of one kind",
                )


def _inputs(file: str, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise problem(file, f"`{name}` holds {array.dtype}, not numbers", help="save inputs as numbers")
    if array.ndim not in (2, 3, 4) or 0 in array.shape[1:]:
        raise problem(
            file,
            f"`{name}` has the shape {array.shape}",
            help="inputs are (examples, n), (examples, height, width) or (examples, channels, height, width)",
        )
    if not len(array):
        raise problem(file, f"`{name}` holds no examples", help="save at least one example of each class")
    array = _finite(file, name, array)
    return array[:, None] if array.ndim == 3 else array


def _tokens(file: str, name: str, array: np.ndarray, vocabulary: int) -> np.ndarray:
    if array.dtype.kind not in "iu" or array.ndim != 2 or 0 in array.shape:
        raise problem(
            file,
            f"`{name}` holds {array.dtype} of shape {array.shape}, and tokens are whole numbers of shape "
            "(examples, steps)",
            help="save tokens as whole numbers, or leave `vocabulary` out",
        )
    bad = ((array < 0) | (array >= vocabulary)).any(1)
    if bad.any():
        raise problem(
            file,
            f"example {int(bad.argmax())} of `{name}` has a token outside 0 to {vocabulary - 1} "
            f"({int(bad.sum())} such examples)",
            help=f"the largest is {int(array.max())}: give a `vocabulary` of {int(array.max()) + 1}"
            if array.max() >= vocabulary
            else "number tokens from 0",
        )
    return array.astype(np.int64)


def _targets(file: str, name: str, array: np.ndarray, task: str) -> np.ndarray:
    if task == "classification":
        if array.dtype.kind not in "biuU" or array.ndim != 1:
            raise problem(
                file,
                f"`{name}` holds {array.dtype} of shape {array.shape}, and classes are whole numbers or "
                "texts of shape (examples,)",
                help="save one class for each example, or say `task=regression`",
            )
        return array
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise problem(
            file,
            f"`{name}` holds {array.dtype} of shape {array.shape}, and a regression has numbers of shape "
            "(examples,) or (examples, outputs)",
            help="save numbers, or say `task=classification`",
        )
    return _finite(file, name, array.reshape(len(array), -1))


def _finite(file: str, name: str, array: np.ndarray) -> np.ndarray:
    """The array in single precision."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    bad = ~np.isfinite(single.reshape(len(single), -1)).all(1)
    if bad.any():
        raise problem(
            file,
            f"example {int(bad.argmax())} of `{name}` is missing, infinite or too large for single precision "
            f"({int(bad.sum())} such examples)",
            help="leave such examples out before saving",
        )
    return single


def _joined(
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], task: str
) -> tuple[np.ndarray, np.ndarray, int]:
    """Inputs, targets and outputs of all splits together, in their order."""
    x = np.concatenate([inputs for inputs, _ in pairs.values()])
    y = np.concatenate([targets for _, targets in pairs.values()])
    if task == "regression":
        return x, y, y.shape[1]
    classes, labels = np.unique(y, return_inverse=True)
    return x, labels, len(classes)


def _known(names: Sequence[str]) -> str:
    return (
        f"its arrays are {', '.join(f'`{name}`' for name in names[:10])}" if names else "it holds no arrays"
    )
