"""What routes name: the hours of `[hours.NAME]`, and the lists of `[contacts.NAME]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from worker.contacts import ContactTable, read
from worker.document import Document
from worker.hours import OfficeHours, dates_in
from worker.problems import Wrong
from worker.tables import Finding, Table, findings

AnyTable = TypeVar("AnyTable", bound=Table)


@dataclass
class Named:
    """Hours, and the people of contact lists, by name; what a `Match` is compiled with.

    A name whose table is wrong is there too: only the table is told of, not who names it.
    """

    hours: dict[str, OfficeHours] = field(default_factory=dict)
    contact_tables: dict[str, ContactTable] = field(default_factory=dict)
    contacts: dict[str, frozenset[str]] = field(default_factory=dict)
    hour_names: set[str] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)


def named_tables(document: Document, found: list[Finding]) -> Named:
    """The tables that can be understood, their files read; what is wrong goes to `found`."""
    named = Named()
    for name, table in _tables(document, "hours", "office", found):
        named.hour_names.add(name)
        values = _with_dates(document, name, table, named, found)
        hours = _checked(document, ("hours", name), OfficeHours, values, found)
        if hours is not None:
            named.hours[name] = hours
    for name, table in _tables(document, "contacts", "patients", found):
        named.contacts[name] = frozenset()
        contacts = _checked(document, ("contacts", name), ContactTable, table, found)
        if contacts is None:
            continue
        named.contact_tables[name] = contacts
        path = ("contacts", name, "file")
        file = document.folder(path) / contacts.file
        named.files.append(file)
        try:
            named.contacts[name] = read(file)
        except Wrong as wrong:
            found.append(Finding(path, f"{document.shown(path)} {wrong}"))
    return named


def _tables(
    document: Document, kind: str, example: str, found: list[Finding]
) -> list[tuple[str, Mapping[str, Any]]]:
    tables = document.values.get(kind, {})
    named = tables if isinstance(tables, Mapping) else {}
    if isinstance(tables, Mapping) and all(isinstance(one, Mapping) for one in named.values()):
        return list(named.items())
    words = f"must be tables with names such as [{kind}.{example}]"
    found.append(Finding((kind,), words))
    return [(name, table) for name, table in named.items() if isinstance(table, Mapping)]


def _with_dates(
    document: Document,
    name: str,
    table: Mapping[str, Any],
    named: Named,
    found: list[Finding],
) -> Mapping[str, Any]:
    """The table with the dates in place of the file of holidays that it names."""
    if not isinstance(table.get("holidays"), str):
        return table
    path = ("hours", name, "holidays")
    file = document.folder(path) / table["holidays"]
    named.files.append(file)
    try:
        return {**table, "holidays": dates_in(file)}
    except Wrong as wrong:
        found.append(Finding(path, f"{document.shown(path)} {wrong}"))
        return {**table, "holidays": []}


def _checked(
    document: Document,
    path: tuple[str, str],
    kind: type[AnyTable],
    values: Mapping[str, Any],
    found: list[Finding],
) -> AnyTable | None:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        written = document.written[path[0]][path[1]]
        found += [Finding((*path, *one.path), one.words) for one in findings(error, kind, written)]
        return None
