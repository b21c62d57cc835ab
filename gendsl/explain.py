"""What each diagnostic code means, with a wrong example and the right one.

One markdown file a code: `gendsl/explanations/<code>.md`. To add a code, add its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "explanations"


class _Explanations(Mapping[str, str]):
    """Code to explanation; a text is read when it is asked for."""

    def __getitem__(self, code: str) -> str:
        if not code.replace("-", "").isalpha():
            raise KeyError(code)
        try:
            return (_FOLDER / f"{code}.md").read_text("utf-8")
        except OSError:
            raise KeyError(code) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in _FOLDER.glob("*.md")))

    def __len__(self) -> int:
        return sum(1 for _ in self)


CODES: Mapping[str, str] = _Explanations()
"""Raises KeyError where there is no such code."""
