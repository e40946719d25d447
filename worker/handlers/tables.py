"""The `[handlers.NAME]` tables of a configuration, before anybody has looked at their options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.document import Document
from worker.problems import in_words, nearest, remedy
from worker.substitution import taken
from worker.tables import Finding

_OURS = {"use", "like"}  # keys that are no options of the handler


@dataclass(frozen=True)
class HandlerTable:
    """One `[handlers.NAME]` table: what to use, and options that nobody has looked at yet.

    `written` is the table as it stands in the file, to show; `environment` the variables that
    were put into it, never to show. `origins` says of each key which table has it: this one, or
    another that it is `like`.
    """

    name: str
    use: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)


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
        heir = _Heir.of(name, document, found)
        options = {key: value for key, value in heir.values.items() if key not in _OURS}
        use = heir.values.get("use")
        near = nearest("use", options, cutoff=0.8)
        if use is None and heir.is_broken:
            pass  # what it was to be is told at `like`
        elif use is None and near:
            found.append(Finding((*path, near), 'unknown key; did you mean "use"?'))
        elif use is None:
            found.append(Finding((*path, "use"), 'is missing; write such as use = "email"'))
        elif not isinstance(use, str):
            words = f'must be text such as "email", not {in_words(use)}'
            found.append(Finding((*path, "use"), words))
        else:
            environment = taken(heir.written, environ)
            yield name, HandlerTable(name, use, options, heir.written, environment, heir.origins)


@dataclass
class _Heir:
    """A table with all that it has from those that it is like, its own words before theirs."""

    values: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False

    @classmethod
    def of(cls, name: str, document: Document, found: list[Finding]) -> "_Heir":
        """The whole of a table; what is wrong with its `like` goes to `found`."""
        heir, seen, at = cls(), [name], name
        tables = document.values["handlers"]
        while True:
            heir.values = {**tables[at], **heir.values}
            heir.written = {**document.written["handlers"][at], **heir.written}
            heir.origins = {**dict.fromkeys(tables[at], at), **heir.origins}
            like = tables[at].get("like")
            if like is None:
                return heir
            shown = document.shown(("handlers", at, "like"))
            others = [other for other, table in tables.items() if isinstance(table, Mapping)]
            if not isinstance(like, str):
                wrong = f"must be the name of another handler, not {in_words(like)}"
            elif like in seen:
                wrong = f"{shown} is like itself; let one of them stand alone"
            elif like not in others:
                known = [other for other in others if other != at]
                wrong = f"{shown} is no [handlers.NAME] table; {remedy(like, known)}"
            else:
                seen.append(like)
                at = like
                continue
            found.append(Finding(("handlers", at, "like"), wrong))
            heir.is_broken = True
            return heir
