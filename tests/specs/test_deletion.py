"""Any one token deleted from a shipped spec is at most one error, shown where the token stood.

Two kinds of error have their place elsewhere and are held to less. A deleted label of a sweep is reported at the
claim that names it, with a second label at the sweep. The only mention of an axis, deleted, is reported at the claim
that misses the axis: no other place is wrong by itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gendsl.check import check
from gendsl.diagnostic import Diagnostic
from gendsl.highlight import tokens
from gendsl.parse import parse
from gendsl.source import Source, Span
from gendsl_runtime.components import catalogue

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.gen"))


def errors(source: Source) -> list[Diagnostic]:
    file, faults = parse(source)
    found = [fault for fault in faults if fault.severity == "error"]
    checked = [] if found else check(source, file, catalogue()).diagnostics
    return [*found, *(fault for fault in checked if fault.severity == "error")]


def is_near(source: Source, span: Span, offset: int) -> bool:
    """Whether a place reaches to within a line of an offset."""
    first, last = (source.position(place).line for place in (span.start, max(span.start, span.end - 1)))
    return first - 1 <= source.position(min(offset, len(source.text) - 1)).line <= last + 1


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_deleted_token_is_one_error_near_its_place(path: Path) -> None:
    text = path.read_text()
    for span, kind in tokens(Source(text, str(path))):
        if kind == "comment":
            continue
        source = Source(text[: span.start] + text[span.end :], str(path))
        found = errors(source)
        told = (
            text[span.start : span.end],
            [(fault.code, source.position(fault.span.start)) for fault in found],
        )
        assert len(found) <= 1, told
        if not found or found[0].code == "missing-axis":
            continue
        (fault,) = found
        places = [fault.span]
        if fault.code == "unknown-label":
            places += [label.span for label in fault.labels]
        assert any(is_near(source, place, span.start) for place in places), told
