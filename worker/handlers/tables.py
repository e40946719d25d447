"""The `[handlers.NAME]` tables of a configuration, before anybody has looked at their options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.document import Document
from worker.problems import in_words, nearest
from worker.substitution import taken
from worker.tables import Finding


@dataclass(frozen=True)
class HandlerTable:
    """One `[handlers.NAME]` table: what to use, and options that nobody has looked at yet.

    `written` is the table as it stands in the file, to show; `environment` the variables that
    were put into it, never to show.
    """

    name: str
    use: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def handler_tables(
    document: Document, environ: Mapping[str, str], found: list[Finding]
) -> Iterator[tuple[str, HandlerTable]]:
    """The tables that can be understood, by name; what is wrong with the others goes to `found`."""
    tables = document.values.get("handlers", {})
    if not isinstance(tables, Mapping):
        words = f"must be tables such as [handlers.vault], not {in_words(tables)}"
        found.append(Finding(("handlers",), words))
        return
    for name, table in tables.items():
        path = ("handlers", name)
        if not isinstance(table, Mapping):
            words = f'must be a table with use = "email" or the like, not {in_words(table)}'
            found.append(Finding(path, words))
            continue
        options = {key: value for key, value in table.items() if key != "use"}
        use = table.get("use")
        near = nearest("use", options, cutoff=0.8)
        if use is None and near:
            found.append(Finding((*path, near), 'unknown key; did you mean "use"?'))
        elif use is None:
            found.append(Finding((*path, "use"), 'is missing; write such as use = "email"'))
        elif not isinstance(use, str):
            words = f'must be text such as "email", not {in_words(use)}'
            found.append(Finding((*path, "use"), words))
        else:
            written = document.written["handlers"][name]
            yield name, HandlerTable(name, use, options, written, taken(written, environ))
