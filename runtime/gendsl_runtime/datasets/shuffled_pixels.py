"""Images whose pixels have lost their places."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.data.mislabelling import needs_no_places
from gendsl_runtime.random import generator


@dataset(version=1, like="data", paper="zhang2017understanding")
def shuffled_pixels(data: Dataset, *, order: Literal["same", "own"] = "same", seed: Seed = 0) -> Dataset:
    """The pixels of every example in another order, in all splits.

    With `same` one permutation serves all examples: nothing is lost, a network without convolutions cannot
    even notice, one with convolutions loses its advantage. With `own` every example has a permutation of its
    own, and only the histogram of its values is left to learn from.

    Channels of a pixel stay together; of a vector the coordinates are permuted, of a sequence all its numbers or
    tokens. A labelling, whose labels are about places, is refused.

    Args:
        data: any dataset.
        order: one permutation for all examples, or one for each.
        seed: seed of the permutations.

    Paper:
        Zhang et al. (2017), Understanding deep learning requires rethinking generalization, ICLR.

    Example:
        dataset scrambled = shuffled_pixels(digits)
    """
    needs_no_places(data, "shuffled_pixels")
    channels, pixels = _sides(data.shape)
    if order == "same":
        # One row, so that the same order serves every example of every split.
        orders = {name: generator("shuffled_pixels", seed).permutation(pixels)[None] for name in data.splits}
    else:
        orders = {
            name: _orders(len(split), pixels, generator(f"shuffled_pixels.{name}", seed))
            for name, split in data.splits.items()
        }

    def shuffled(inputs: Tensor, order: np.ndarray) -> Tensor:
        flat = inputs.reshape(len(inputs), channels, pixels)
        index = torch.from_numpy(order)[:, None, :].expand(flat.shape)
        return flat.gather(2, index).reshape(inputs.shape)

    return data.with_splits(
        **{
            name: Split(shuffled(split.inputs, orders[name]), split.targets)
            for name, split in data.splits.items()
        }
    )


def _sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """Channels and pixels of an example; a vector has one channel."""
    channels = shape[0] if len(shape) == 3 else 1
    return channels, int(np.prod(shape, dtype=np.int64)) // channels


def _orders(examples: int, pixels: int, chance: np.random.Generator) -> np.ndarray:
    """One permutation for each example, `(examples, pixels)`."""
    return chance.permuted(np.tile(np.arange(pixels), (examples, 1)), axis=1)
