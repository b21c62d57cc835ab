"""When examples are learned, and forgotten again."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import AxisName, SplitName, analysis
from gendsl_runtime.measures.drawn import is_right
from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "forgotten": "1 [example]",
        "first_learned": "epochs [example]",
        "settled": "epochs [example]",
        "mean": "1",
        "unforgettable": "1",
        "never_learned": "1",
    },
    shares=["unforgettable", "never_learned"],
    axes={"example": "place of the example in its split"},
    paper="toneva2019empirical",
)
def forgetting(groups: Groups, *, over: AxisName, on: SplitName = "train") -> dict[str, np.ndarray]:
    """How often each example is unlearned during training, and when it was learned.

    An example is forgotten where it is classified rightly at one epoch and wrongly at the next that was kept;
    `forgotten` counts these events (Toneva et al. 2019, definition 2.1), `first_learned` is the first epoch
    at which it is right, and `settled` the first from which on it stays right to the last; infinite where
    there is none. `unforgettable` is the share of examples that were learned and never forgotten,
    `never_learned` that of those never right, whose count of events is 0 here and infinite in the paper's
    ranking.

    Only the epochs that are given are seen: what happens between two of them is not, so counts are bounds
    from below and times bounds from above. The paper looks at an example whenever its batch is trained on;
    with every epoch kept, `forgetting(fit.at(epoch=[0, 1, 2, 3]), over=epoch)`, this looks once an epoch, at
    one network for all examples. Counts of runs with different epochs are not comparable. Evaluation mode; of
    equal outputs the first class counts.

    Args:
        over: the axis of epochs (numbers), taken in ascending order, at least two.
        on: the split.
    """
    order = np.argsort(_times(groups, over), kind="stable")
    times = _times(groups, over)[order]
    found = [_figures(runs, order, times, on) for runs in groups.runs]
    return {name: np.stack([figures[name] for figures in found]) for name in found[0]}


def _times(groups: Groups, over: str) -> np.ndarray:
    if len(groups.labels) < 2 or any(isinstance(label, str) for label in groups.labels):
        raise Problem(
            "out-of-range",
            f"`forgetting` looks at a run at two epochs or more, and `{over}` has {_named(groups.labels)}",
            help="`forgetting(fit.at(epoch=[0, 1, 2, 5]), over=epoch)`",
        )
    return np.array(groups.labels, dtype=np.float64)


def _named(labels: tuple[str | int | float, ...]) -> str:
    return "one label" if len(labels) < 2 else "labels that are no numbers"


def _figures(runs: Runs, order: np.ndarray, times: np.ndarray, on: str) -> dict[str, np.ndarray]:
    same_examples(runs, on)
    right = is_right(runs, on=on)[order]
    forgotten = (right[:-1] & ~right[1:]).sum(0)
    is_learned = right.any(0)
    first = np.where(is_learned, times[right.argmax(0)], np.inf)
    # Epochs at the end that are all right.
    lasting = np.logical_and.accumulate(right[::-1]).sum(0)
    settled = np.where(lasting > 0, times[np.minimum(len(times) - lasting, len(times) - 1)], np.inf)
    return {
        "forgotten": forgotten,
        "first_learned": first,
        "settled": settled,
        "mean": np.array(forgotten.mean()),
        "unforgettable": np.array((is_learned & (forgotten == 0)).mean()),
        "never_learned": np.array((~is_learned).mean()),
    }
