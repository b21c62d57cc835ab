"""The report: one self-contained page, and its figures as files."""
