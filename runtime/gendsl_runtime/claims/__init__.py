"""From results to verdicts: what a claim says, how sure it is, and how that is known."""
