"""What `gendsl.toml` says: settings of a project, in the nearest folder at or above the spec that has one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from gendsl.diagnostic import Diagnostic, DiagnosticError
from gendsl.source import Source, Span
from gendsl.words import nearest

NAME = "gendsl.toml"
KEYS = {"allow_python": bool, "store": str}
"""Every key, and the type of its value."""
WORDS = {bool: "true or false", str: "text in quotes"}
CODE = "wrong-settings"


@dataclass(frozen=True)
class Settings:
    """The settings of a project; `file` is where they stand, None where nothing is set."""

    allow_python: bool = False
    """Whether Python files that a spec imports may run without `--allow-python`."""
    store: Path | None = None
    """Where results are kept, relative to the folder of the file."""
    file: Path | None = None


def settings(spec: Path) -> Settings:
    """The settings for a spec.

    Raises:
        DiagnosticError: the file cannot be read, or says what no setting is.
    """
    path = found(spec)
    if path is None:
        return Settings()
    source = Source.read(path)
    given = _parsed(source)
    for name, value in given.items():
        _check(source, name, value)
    store = given.get("store")
    return Settings(
        allow_python=given.get("allow_python", False),
        store=None if store is None else path.parent / _home(source, store),
        file=path,
    )


def found(spec: Path) -> Path | None:
    """The nearest `gendsl.toml` in the folder of the spec or one above it."""
    above = (folder / NAME for folder in spec.absolute().parents)
    return next((path for path in above if path.is_file()), None)


def _parsed(source: Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = min(int(line[1]) if line else 1, len(source.line_starts))
        start = source.line_starts[number - 1]
        _refuse(
            source,
            Span(start, start + max(1, len(source.line(number)))),
            f"this is not TOML: {message[:1].lower()}{message[1:]}",
            "write one `key = value` a line",
        )


def _check(source: Source, name: str, value: object) -> None:
    wanted = KEYS.get(name)
    if wanted is None:
        near = nearest(name, KEYS)
        known = " and ".join(f"`{key}`" for key in KEYS)
        _refuse(
            source,
            _place(source, name),
            f"there is no setting `{name}`",
            f"did you mean `{near}`?" if near else f"the settings are {known}",
        )
    if not isinstance(value, wanted) or value == "" or (isinstance(value, str) and "\0" in value):
        _refuse(source, _place(source, name), f"`{name}` takes {WORDS[wanted]}", None)


def _home(source: Source, store: str) -> Path:
    """The folder that is said, with `~` as the home it stands for."""
    try:
        return Path(store).expanduser()
    except RuntimeError:
        _refuse(source, _place(source, "store"), f"`{store}` is in the home of nobody here", None)


def _place(source: Source, name: str) -> Span:
    """Where a key stands: the head of its line, or of its table."""
    mark = re.search(rf"^[ \t\[]*[\"']?({re.escape(name)})\b", source.text, re.MULTILINE)
    return Span(*mark.span(1)) if mark else Span(0, min(1, len(source.text)))


def _refuse(source: Source, span: Span, message: str, help: str | None) -> NoReturn:
    raise DiagnosticError(Diagnostic(CODE, message, source, span, help=help))
