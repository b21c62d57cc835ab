"""Lempel-Ziv complexity of the function that a network computes."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures import words
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={"complexity": "nats", "words": "1", "entropy": "nats", "labels": "nats"},
    paper=["valle2019deep", "lempel1976complexity"],
)
def lempel_ziv(runs: Runs, *, on: SplitName = "test") -> dict[str, np.ndarray]:
    """How much information the string of a network's answers takes when repeated pieces are free.

    The classes predicted for the n examples of a split, in its order, are a string; with `N_w` the number of
    words of its exhaustive history (Lempel and Ziv 1976), read forwards and backwards,

        complexity = log2(n) (N_w(forwards) + N_w(backwards)) / 2,     log2(n) if all answers are equal

    (Valle-Perez, Camargo and Louis 2019, appendix A, there for two classes and all inputs of a Boolean
    function). It tends to n times the entropy rate, and depends on the order of the examples: compare runs on
    one split whose order means something, or whose order is random in the same way for all. `entropy = n
    H(shares of the classes)` is what the frequencies alone would take, and `labels` is the complexity of the
    true labels. The relative error of the limit shrinks as log log n / log n only, so strings of one length
    are compared. Given in nats, as every amount of information is; a claim may say
    `< 300 bits`.

    Renaming classes changes nothing. Evaluation mode; of equal outputs the first class counts. Exact.

    Args:
        on: the split whose inputs the function is looked at.
    """
    with torch.no_grad():
        answers = torch.cat([runs.outputs(x).max(1).indices for x, _ in runs.chunks(on)], dim=1)
    strings = [string.tolist() for string in answers]
    labels = [words.lempel_ziv(string.tolist()) for string in runs.split(on)[1]]
    return {
        "complexity": np.array([words.lempel_ziv(string) for string in strings]) * np.log(2),
        "words": np.array([words.words(string) for string in strings]),
        "entropy": np.array([_entropy(string) for string in strings]),
        "labels": np.array(labels) * np.log(2),
    }


def _entropy(string: list[int]) -> float:
    counts = np.bincount(string)
    counts = counts[counts > 0]
    return float(-(counts * np.log(counts / counts.sum())).sum()) + 0.0
