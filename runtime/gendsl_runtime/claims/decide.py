"""From results to verdicts.

A claim is decided at each coordinate of the axes it has left, the coordinates are joined by their
quantifiers, the claims of the file by Holm's correction. All of that is done with one-sided p-values, one
against "the statement is false" and one against "it is true": supported where the first is at most half of
what the level leaves, refuted where the second is, so that a false verdict of either kind has at most the
probability that the level states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gendsl import spec
from gendsl.spec.looks import adaptive
from gendsl_runtime.claims.exact import exact_cases
from gendsl_runtime.claims.holm import corrected
from gendsl_runtime.claims.looks import claim_at, is_settled, look_number, seen
from gendsl_runtime.claims.outlook import seeds_to_decide
from gendsl_runtime.claims.quantify import joined
from gendsl_runtime.claims.replicated import replicated_cases
from gendsl_runtime.claims.replicates import is_replicated
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.results import Results


def decide(results: Results, earlier: Sequence[Verdict] = ()) -> tuple[Verdict, ...]:
    """The verdict on every claim of the spec, in its order, each also corrected for there being several.

    Args:
        earlier: of seeds that go on until all is decided, the verdicts of the look before; decided ones stay.
    """
    before = {verdict.name: verdict for verdict in earlier}
    return corrected([_at_look(claim, results, before.get(claim.name)) for claim in results.spec.claims])


def _at_look(claim: spec.Claim, results: Results, earlier: Verdict | None) -> Verdict:
    """The verdict on a claim with the seeds there are: its own where those are fixed, else that of their look."""
    axis, number = adaptive(results.spec), look_number(results)
    if axis is None or number is None:
        return verdict(claim, results)
    if earlier is not None and is_settled(earlier):
        return earlier
    now = verdict(claim_at(claim, axis.looks, number), results)
    return seen(now, claim, looks=axis.looks, number=number, earlier=earlier)


def verdict(claim: spec.Claim, results: Results) -> Verdict:
    """The verdict on one claim by itself."""
    if is_replicated((claim.left, claim.right), results):
        found = joined(claim, *replicated_cases(claim, results))
        if found.outcome != "undecided" or found.p_value is None:
            return found
        p = min(found.p_true, found.p_false)
        return replace(found, needed=seeds_to_decide(p, found.used, level=claim.level))
    return joined(claim, exact_cases(claim, results), ())
