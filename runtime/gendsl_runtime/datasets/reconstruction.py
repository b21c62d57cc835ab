"""Inputs that are their own targets."""

from __future__ import annotations

from gendsl_runtime.component import dataset
from gendsl_runtime.data import Dataset, Split


@dataset(version=1, like="data", needs="numbers", task="regression", outputs="shape")
def reconstruction(data: Dataset) -> Dataset:
    """A regression of the inputs on themselves, in all splits: what an autoencoder is trained on.

    The target of an example is its own input, flattened; the targets of the data are forgotten.

    Args:
        data: any dataset of numbers.

    Example:
        dataset digits = reconstruction(sklearn_digits())
    """
    splits = {name: Split(split.inputs, split.inputs.flatten(1)) for name, split in data.splits.items()}
    outputs = data.split("fit").inputs[0].numel()
    return Dataset(splits, "regression", data.shape, outputs, data.fit)
