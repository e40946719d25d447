"""The statement: what a reconciliation found, as a document to be signed and checked later."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from .comparing import Comparison, Difference
from .reconciling import Reconciled

FORMAT = "ringpost-statement"
VERSION = 1


def statement(
    found: Iterable[Reconciled],
    problems: Mapping[str, str],
    *,
    since: datetime,
    until: datetime,
    archives: Mapping[str, Path],
    made: datetime,
) -> dict[str, Any]:
    """The document without its signature; `problems` are mailboxes that could not be compared."""
    mailboxes = {str(one.mailbox): _mailbox(one) for one in found}
    mailboxes |= {name: {"problem": words} for name, words in problems.items()}
    return {
        "format": FORMAT,
        "version": VERSION,
        "made": _text(made),
        "software": f"ringpost {version('ringpost')}",
        "period": {"since": _text(since), "until": _text(until)},
        "accounts": sorted({name.partition("/")[0] for name in mailboxes}),
        "archives": {name: str(root) for name, root in sorted(archives.items())},
        "complete": all(one.get("complete", False) for one in mailboxes.values()),
        "mailboxes": mailboxes,
    }


def rendered(signed: Mapping[str, Any]) -> bytes:
    """The file: for people indented, for programs JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(dict(signed), option=options)


def write(path: Path, content: bytes) -> None:
    """Write the file whole or not at all: an older statement of its name may be all there is.

    Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)  # a pipe or a device
        return
    path = path.resolve()
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def counted(comparison: Comparison) -> list[dict[str, Any]]:
    """The counts, a row for each day and type, oldest first."""
    return [
        {"day": day.isoformat(), "type": type_, **asdict(counts)}
        for (day, type_), counts in sorted(comparison.counts.items())
    ]


def told(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Differences by id, each with day, type and why."""
    return [
        {"id": one.id, "day": one.day.isoformat(), "type": one.type, "why": one.why}
        for one in differences
    ]


def _mailbox(found: Reconciled) -> dict[str, Any]:
    comparison = found.comparison
    return {
        "complete": comparison.is_complete,
        "counts": counted(comparison),
        "missing": told(comparison.of("missing")),
        "failed": told(comparison.of("failed")),
        "extra": told(comparison.of("extra")),
        "heads": {
            name: {month: {"length": head.length, "hash": head.hash} for month, head in by_month}
            for name, by_month in (
                (name, sorted(months.items())) for name, months in sorted(found.heads.items())
            )
        },
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
