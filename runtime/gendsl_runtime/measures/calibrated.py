"""How far stated probabilities are from how often they come true, for one member."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Binning = Literal["width", "mass"]


class Bins(NamedTuple):
    """Examples grouped by confidence, `(bins,)` each; means of an empty bin are NaN."""

    share: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Distance of accuracy from confidence; 0 where there is no example."""
        return np.where(self.share > 0, np.abs(self.accuracy - self.confidence), 0.0)


def bins(confidence: np.ndarray, is_right: np.ndarray, *, count: int, by: Binning) -> Bins:
    """Bins `((b - 1) / count, b / count]` (`width`), or as equal in number as the order of confidences allows
    (`mass`; ties by place)."""
    if by == "width":
        place = np.clip(np.ceil(confidence * count).astype(int) - 1, 0, count - 1)
    else:
        place = np.empty(len(confidence), dtype=int)
        place[np.argsort(confidence, kind="stable")] = np.arange(len(confidence)) * count // len(confidence)
    number = np.bincount(place, minlength=count)
    with np.errstate(invalid="ignore"):
        means = [
            np.bincount(place, weights, count) / number for weights in (confidence, is_right.astype(float))
        ]
    return Bins(number / len(confidence), *means)
