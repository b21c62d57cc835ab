"""A user's table of text: read whole, with the line of every row, or refused with the place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gendsl_runtime.problem import Problem

LARGEST = 100 * 2**20
"""Bytes. Every cell becomes a Python string, so reading takes about ten times the size of the file."""
MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})
"""How people write a missing value, in lower case."""


@dataclass(frozen=True)
class Table:
    """Columns of text by name; row i stood on line `lines[i]` of the file."""

    file: str
    columns: dict[str, list[str]]
    lines: list[int]

    def without(self, rows: set[int]) -> Table:
        """The table without some rows."""
        kept = [row for row in range(len(self.lines)) if row not in rows]
        columns = {name: [cells[row] for row in kept] for name, cells in self.columns.items()}
        return Table(self.file, columns, [self.lines[row] for row in kept])

    def gaps(self, columns: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Rows and columns of missing values."""
        for name in columns:
            for row, cell in enumerate(self.columns[name]):
                if cell.lower() in MISSING:
                    yield row, name

    def problem(self, what: str, *, row: int | None = None, column: str | None = None, help: str) -> Problem:
        """A Problem that names the place."""
        line = None if row is None else self.lines[row]
        return problem(self.file, what, line=line, column=column, help=help)


def problem(
    file: str, what: str, *, line: int | None = None, column: str | None = None, help: str | None = None
) -> Problem:
    """A Problem with a user's file: `FILE, line 3, column `age`: WHAT`."""
    place = file
    if line is not None:
        place += f", line {line}"
    if column is not None:
        place += f", column `{column}`"
    return Problem("bad-data", f"{place}: {what}", help=help)


def read(path: Path, *, separator: str) -> Table:
    """The table in a text file whose first line names the columns. Raises Problem."""
    file = str(path)
    reader = csv.reader(io.StringIO(_text(path), newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise problem(
            file,
            f"not valid CSV: {error}",
            line=line,
            help="look for a quote that is not closed on this line",
        ) from None
    if not rows:
        raise problem(file, "the file is empty", help="its first line must name the columns")
    header = rows[0]
    _check_header(file, header, separator)
    if len(rows) == 1:
        raise problem(file, "the file has column names and no rows", help="add data below the first line")
    for row, at in zip(rows, lines):
        if len(row) != len(header):
            raise problem(
                file,
                f"{len(row)} values, and there are {len(header)} columns",
                line=at,
                help="every line needs a value for each column; quote values that contain the separator",
            )
    cells = zip(*rows[1:], strict=True)
    return Table(file, {name: list(column) for name, column in zip(header, cells)}, lines[1:])


def _text(path: Path) -> str:
    file = str(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise problem(
                file,
                f"the file has {size / 2**20:.0f} MB, and at most {LARGEST // 2**20} MB are read as CSV",
                help="keep the columns and rows you need, or save the arrays with numpy and use `npz`",
            )
        content = path.read_bytes()
    except OSError as error:
        raise problem(file, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    try:
        # With or without the mark that spreadsheets put first.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise problem(
            file, "not UTF-8 text", line=line, help="save the file as CSV with UTF-8 encoding"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise problem(
            file, "holds a zero byte, so it is no text file", line=line, help="save the file as CSV"
        )
    return text


def _check_header(file: str, header: list[str], separator: str) -> None:
    seen: set[str] = set()
    for place, name in enumerate(header, 1):
        if not name:
            raise problem(
                file,
                f"the column at place {place} of {len(header)} has no name",
                line=1,
                help="give every column a name in the first line",
            )
        if name in seen:
            raise problem(
                file,
                "the name stands for two columns",
                line=1,
                column=name,
                help="give every column a name of its own",
            )
        seen.add(name)
    if all(is_number(name) for name in header):
        raise problem(
            file,
            "the first line holds numbers, not names of columns",
            line=1,
            help="put a line with a name for each column on top",
        )
    if len(header) == 1:
        others = {",": "comma", ";": "semicolon", "\t": "tab"}
        for mark, word in others.items():
            if mark != separator and mark in header[0]:
                raise problem(
                    file,
                    "there is only one column",
                    line=1,
                    help=f"say `separator={word}` if that is what separates",
                )


def is_number(text: str) -> bool:
    """Whether a cell is a number as people write one: no `1_000`, no `inf`."""
    try:
        value = float(text)
    except ValueError:
        return False
    return "_" not in text and abs(value) < float("inf") and text.isascii()
