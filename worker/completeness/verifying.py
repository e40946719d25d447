"""Checks a signed statement, and an archive against it; asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from message_store.mailbox import Mailbox
from worker.archive.chain import Head
from worker.archive.folders import Fault
from worker.archive.verification import Tally, verify

from .signing import WrongSignatureError, check
from .statement import FORMAT, VERSION


class UnreadableStatementError(Exception):
    """Why a file is no statement, in words."""


class _Head(BaseModel):
    length: int
    hash: str


class _Mailbox(BaseModel):
    complete: bool = False
    heads: dict[str, dict[str, _Head]] = {}


class Statement(BaseModel):
    """What is checked of a statement; `archives` are folders by step."""

    made: str
    software: str
    period: dict[str, str]
    complete: bool
    archives: dict[str, str]
    mailboxes: dict[str, _Mailbox]


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether a statement is as it was signed, `wrong` if not; `is_ours` is None if unknown."""

    public_key: str | None
    wrong: str | None
    is_ours: bool | None


def read(path: Path) -> dict[str, Any]:
    """The document; raises UnreadableStatementError, and OSError."""
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        raise UnreadableStatementError("is no JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UnreadableStatementError("is no statement of Ringpost")
    if document.get("version") != VERSION:
        raise UnreadableStatementError(
            f"has version {document.get('version')}, and this Ringpost knows {VERSION}"
        )
    return document


def signature_of(document: Mapping[str, Any], known: Sequence[str]) -> Signature:
    """Check the signature; `known` are the public keys that may have signed it, if any is known."""
    try:
        public_key = check(document)
    except WrongSignatureError as error:
        return Signature(None, str(error), None)
    return Signature(public_key, None, public_key in known if known else None)


def parsed(document: Mapping[str, Any]) -> Statement:
    """What it says; raises UnreadableStatementError."""
    try:
        statement = Statement.model_validate(dict(document))
        for name in statement.mailboxes:
            Mailbox.parse(name)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UnreadableStatementError(f"is no statement of Ringpost: {place} is wrong") from None
    except ValueError as error:
        raise UnreadableStatementError(f"is no statement of Ringpost: {error}") from None
    return statement


def faults(statement: Statement, name: str, root: Path, tally: Tally) -> Iterator[Fault]:
    """What in an archive is not as it was when the statement was made. Blocks; raises OSError."""
    for mailbox, found in statement.mailboxes.items():
        heads = {
            month: Head(head.length, head.hash) for month, head in found.heads.get(name, {}).items()
        }
        yield from verify(root, mailbox=Mailbox.parse(mailbox), heads=heads, tally=tally)
