"""From results to verdicts: what a claim says, how sure it is, and how that is known."""

from gendsl_runtime.claims.decide import decide
from gendsl_runtime.claims.verdict import Case, Outcome, Verdict

__all__ = ["Case", "Outcome", "Verdict", "decide"]
