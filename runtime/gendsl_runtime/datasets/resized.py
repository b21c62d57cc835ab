"""Images of another size."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from gendsl_runtime.component import Count, Natural, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.data.mislabelling import needs_no_places
from gendsl_runtime.problem import Problem


@dataset(version=1, like="data", shape=(None, "side", "side"), needs="image")
def resized(data: Dataset, *, side: Count, margin: Natural = 0) -> Dataset:
    """Images at another number of pixels, in all splits: what one network is to read has one size.

    Each channel is interpolated linearly along both sides between the centres of pixels; beyond the outermost
    centres the outermost pixel stands. Where an image gets smaller, the triangle of the interpolation is widened to
    the new pixels (Pillow's `BILINEAR`), so that no pixel is passed over; at its own size an image stays as it is.
    Values never leave the range of those of the image. Images that are not square are stretched. A labelling, whose
    labels are about pixels, is refused.

    Args:
        data: images.
        side: pixels along each side, with the margin.
        margin: pixels of the border that are 0; the image is resized to what is left within. MNIST has a margin of
            4 in 28, `sklearn_digits` none.

    Example:
        dataset digits = resized(sklearn_digits(), side=14, margin=2)
    """
    if len(data.shape) != 3:
        raise Problem(
            "bad-data", "`resized` takes images, and these examples have other shapes", help="leave it out"
        )
    needs_no_places(data, "resized")
    inner = side - 2 * margin
    if inner < 1:
        raise Problem(
            "bad-data",
            f"a margin of {margin} pixels leaves nothing of {side}",
            help="`margin` is less than half of `side`",
        )

    def sized(images: Tensor) -> Tensor:
        if images.shape[2:] != (inner, inner):
            images = functional.interpolate(
                images, (inner, inner), mode="bilinear", align_corners=False, antialias=True
            )
        return functional.pad(images, (margin,) * 4)

    splits = {
        name: Split(sized(split.inputs), split.targets, split.places) for name, split in data.splits.items()
    }
    return replace(data, splits=splits, shape=(data.shape[0], side, side))
