"""`[contacts.NAME]`: lists of people in CSV files, to be named as `@NAME` in `from` and `to`."""

import contextlib
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from worker.facts import folded
from worker.numbers import e164
from worker.problems import Wrong, quoted
from worker.tables import Table

_COLUMNS = ("number", "name", "email")
_EXTENSION = re.compile(r"[0-9]{1,8}")
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
    delimiter = max(";\t,", key=heading.count)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return frozenset(_people(rows))
    except csv.Error as error:
        raise Wrong(f"line {rows.line_num}: is not CSV: {error}") from None


def _people(rows: Iterator[list[str]]) -> Iterator[str]:
    columns: list[str] = []
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if not columns:
            columns = [cell.casefold() for cell in cells]
            if not {"number", "name"} & set(columns):
                raise Wrong(
                    f"line {number}: names none of the columns {', '.join(_COLUMNS)}; "
                    "the first line is to say what the columns are"
                )
            continue
        if len(cells) > len(columns):
            raise Wrong(f"line {number}: has {len(cells)} columns, the first line {len(columns)}")
        person = dict(zip(columns, cells, strict=False))
        yield _known_by(person.get("number", ""), person.get("name", ""), number)


def _known_by(number: str, name: str, line: int) -> str:
    if not number and not name:
        raise Wrong(f"line {line}: has neither number nor name")
    if not number:
        return folded(name)
    known = e164(number) or (number if _EXTENSION.fullmatch(number) else None)
    if known is None:
        raise Wrong(f"line {line}: {quoted(number)} is no phone number; write such as +16505550100")
    return known


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
