"""What is common to measures that compare the predictions of several runs."""

from __future__ import annotations

from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def same_examples(runs: Runs, on: str) -> None:
    """Refuses runs whose examples of a split differ: what they say of them could not be compared."""
    inputs, targets = runs.split(on)
    if not (bool((inputs == inputs[:1]).all()) and bool((targets == targets[:1]).all())):
        raise Problem(
            "different-examples",
            f"the split `{on}` has other examples in some of the runs that are compared",
            help="take a split of one dataset for all: `on=rings.test`",
        )
