"""Diagnostics as data: JSON, and SARIF 2.1.0 for code hosts and editors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from gendsl.diagnostic import Diagnostic
from gendsl.explain import CODES
from gendsl.render import in_order
from gendsl.source import Source, Span


def to_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One object with the list `diagnostics`; lines and columns count from 1, ends are not included."""
    records = [
        {
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "message": diagnostic.message,
            **_place(diagnostic.source, diagnostic.span),
            "note": diagnostic.note,
            "help": diagnostic.help,
            "labels": [
                {"text": label.text, **_place(label.source or diagnostic.source, label.span)}
                for label in diagnostic.labels
            ],
        }
        for diagnostic in in_order(diagnostics)
    ]
    return json.dumps({"version": 1, "diagnostics": records}, indent=2, ensure_ascii=False) + "\n"


def to_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """A SARIF 2.1.0 log with one run; each code is a rule with its explanation."""
    found = in_order(diagnostics)
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in found))
    driver = {"name": "gendsl", "rules": [_rule(code) for code in codes]}
    results = [_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in found]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, Any]:
    text = CODES.get(code, code)
    title = text.lstrip("# ").partition("\n")[0]
    return {"id": code, "shortDescription": {"text": title}, "help": {"text": text, "markdown": text}}


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    message = diagnostic.message + (f" (help: {diagnostic.help})" if diagnostic.help else "")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": message},
        "locations": [_location(diagnostic.source, diagnostic.span)],
    }
    if diagnostic.labels:
        result["relatedLocations"] = [
            {**_location(label.source or diagnostic.source, label.span), "message": {"text": label.text}}
            for label in diagnostic.labels
        ]
    return result


def _location(source: Source, span: Span) -> dict[str, Any]:
    place = _place(source, span)
    region = {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(source.path)}, "region": region}}


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.replace("\\", "/"))


def _place(source: Source, span: Span) -> dict[str, Any]:
    start, end = source.position(span.start), source.position(span.end)
    return {
        "path": source.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }
