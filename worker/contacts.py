"""`[contacts.NAME]`: lists of people in CSV files, to be named as `@NAME` in `from` and `to`."""

import contextlib
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from worker.facts import folded
from worker.numbers import NO_NUMBER, check_number, e164
from worker.problems import Wrong, quoted
from worker.tables import Table

_COLUMNS = ("number", "name", "email")
_EXTENSION = re.compile(r"[0-9]{1,8}")
_WHOLE = 7  # digits
_MOST_BYTES = 64 * 1024 * 1024


class ContactTable(Table):
    """One `[contacts.NAME]` table.

    The file has the columns `number`, `name`, `email`, named in its first line; others are left
    alone. A person is known by the number (a phone number in any spelling, or an extension's), or
    by the name where there is none.
    """

    file: Annotated[str, Field(examples=["patients.csv"])]
    """A CSV file with the columns number, name and email."""


def read(path: Path) -> frozenset[str]:
    """The numbers and names in a file; raises Wrong with the number of the first bad line."""
    lines = _text(path).splitlines()
    heading = next((line for line in lines if line.strip()), "")
    if not heading:
        raise Wrong(f"is empty; its first line names the columns {', '.join(_COLUMNS)}")
    delimiter = max(";\t,", key=heading.count)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return frozenset(_people(rows))
    except csv.Error as error:
        raise Wrong(f"line {rows.line_num}: is not CSV: {error}") from None
    except Wrong as wrong:
        # a cell may have several lines
        raise Wrong(f"line {rows.line_num}: {wrong}") from None


def _people(rows: Iterator[list[str]]) -> Iterator[str]:
    columns: list[str] = []
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if not columns:
            columns = _columns(cells)
            continue
        if len(cells) > len(columns):
            raise Wrong(f"has {len(cells)} columns, the first line {len(columns)}")
        person = dict(zip(columns, cells, strict=False))
        if "number" not in columns:
            _insist_on_no_number(person)
        yield _known_by(person.get("number", ""), person.get("name", ""))


def _columns(cells: list[str]) -> list[str]:
    columns = [cell.casefold() for cell in cells]
    if not {"number", "name"} & set(columns):
        raise Wrong(
            f"names none of the columns {', '.join(_COLUMNS)}; "
            "the first line is to say what the columns are"
        )
    twice = [column for column in ("number", "name") if columns.count(column) > 1]
    if twice:
        raise Wrong(f'has two columns "{twice[0]}"; give one of them another name')
    return columns


def _insist_on_no_number(person: dict[str, str]) -> None:
    for column, cell in person.items():
        if column not in _COLUMNS and e164(cell):
            raise Wrong(
                f"has a phone number under {quoted(column)}, which would be left alone; "
                'call that column "number"'
            )


def _known_by(number: str, name: str) -> str:
    if not number and not name:
        raise Wrong("has neither number nor name")
    if not number:
        return folded(name)
    try:
        check_number(number)
    except Wrong as wrong:
        raise Wrong(f"{_shown(number)} {wrong}") from None
    known = e164(number) or (number if _EXTENSION.fullmatch(number) else None)
    if known is None:
        raise Wrong(f"{_shown(number)} {NO_NUMBER}")
    return known


def _shown(number: str) -> str:
    """As it stands there, but for a whole number of somebody: the line is enough to find it."""
    digits = "".join(filter(str.isdecimal, number))
    return quoted(number if len(digits) < _WHOLE else f"***{digits[-4:]}")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Wrong("is larger than 64 MiB, and no list of contacts")
        content = path.read_bytes()
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}; it is to be a CSV file") from None
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):  # what spreadsheets write
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(encoding)
    raise Wrong("is no text; save it as CSV in UTF-8")
