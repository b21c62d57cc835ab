"""The one error a component raises when its input cannot be used."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 (what users have is a problem, in their words)
    """What is wrong with the user's input, in the user's words; the runner adds the place in the spec.

    `code` is a diagnostic code (`bad-data`, `out-of-memory` ...), `help` says what to do.
    """

    def __init__(self, code: str, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help
