"""The context a delivery gives to its handlers."""

from pathlib import Path
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from worker.handlers.conformance_cases import FAX, HOSTILE, MAILBOX, SMS, Case
from worker.handlers.conformance_fakes import FakeNetwork, FakeStore
from worker.handlers.context import DeliveryContext, idempotency_key
from worker.small_contents import SMALL
from worker.spool import Spool


def context(case: Case, folder: Path, attempt: int = 1, **happened: Any) -> DeliveryContext:
    store = FakeStore(case)
    return DeliveryContext(
        mailbox=MAILBOX,
        message=case.message,
        route="Faxes",
        step="vault",
        attempt=attempt,
        store=store,
        spool=Spool(folder, store),
        http=FakeNetwork(),
        **happened,
    )


def test_the_idempotency_key(tmp_path: Path) -> None:
    """It is the same in every attempt and another for every other mailbox, message, route, step."""
    key = context(FAX, tmp_path).idempotency_key
    assert key == context(FAX, tmp_path, attempt=2).idempotency_key
    assert len(key) == 64
    others = {
        idempotency_key(Mailbox("1", "2"), "3", "a", "b"),
        idempotency_key(Mailbox("1", "23"), "", "a", "b"),
        idempotency_key(Mailbox("12", "3"), "", "a", "b"),
        idempotency_key(Mailbox("1", "2"), "3", "ab", ""),
        idempotency_key(Mailbox("1", "2"), "3", 'a", "b', ""),
        idempotency_key(Mailbox("1", "2"), "3", "", "ab"),
    }
    assert len(others) == 6


def test_what_happened(tmp_path: Path) -> None:
    """A handler is told what happened and when; each happening has an identity of its own."""
    created = context(FAX, tmp_path)
    assert (created.on, created.at) == ("created", FAX.message.created)
    moment = "2026-01-01T10:00:00.123+00:00"
    read = context(FAX, tmp_path, on="read", at=moment)
    assert (read.on, read.at.isoformat(timespec="milliseconds")) == ("read", moment)
    assert read.render("{{ on }}", FAX.message) == "read"
    others = [
        context(FAX, tmp_path, on="deleted", at=moment),
        context(FAX, tmp_path, on="read", at="2026-01-02T10:00:00.000+00:00"),
        created,
        read,
    ]
    assert len({other.idempotency_key for other in others}) == 4
    again = context(FAX, tmp_path, attempt=3, on="read", at=moment)
    assert again.idempotency_key == read.idempotency_key


def test_what_is_amended(tmp_path: Path) -> None:
    """An amendment has an identity of its own, and knows that of what it amends."""
    moment = "2026-01-01T10:00:00.123+00:00"
    created = context(FAX, tmp_path)
    alone = context(FAX, tmp_path, on="read", at=moment)
    amending = context(FAX, tmp_path, on="read", at=moment, amends=True)
    assert amending.first_key == created.idempotency_key
    assert amending.idempotency_key == alone.idempotency_key
    assert (created.first_key, alone.first_key) == (None, None)


def test_the_text_of_an_sms_is_no_file(tmp_path: Path) -> None:
    """What `subject` says already is not downloaded."""
    assert context(SMS, tmp_path).attachments == []


@pytest.mark.parametrize("size", [0, 10, SMALL, SMALL + 1, 3_000_000])
async def test_all_ways_to_the_content_agree(size: int, tmp_path: Path) -> None:
    """Stream, file and content have the same bytes, small or large."""
    whole = b"\0\r\n." * (size // 4 + 1)
    case = Case({"id": 1, "attachments": [{"id": 2}]}, {"2": whole[:size]})
    (file,) = context(case, tmp_path).attachments
    content = await file.content()
    assert isinstance(content, bytes) is (size <= SMALL)
    chunks = [chunk async for chunk in file.open()]
    assert b"".join(chunks) == whole[:size]
    assert max(map(len, chunks), default=0) <= 1024 * 1024
    assert (await file.path()).read_bytes() == whole[:size]


def test_names_and_types_are_safe(tmp_path: Path) -> None:
    """What handlers see of hostile attachments is harmless, and ours stay ours."""
    files = context(HOSTILE, tmp_path).attachments
    names = [file.name.casefold() for file in files]
    assert len(set(names)) == len(names) == 8
    assert not {"message.json", "manifest.json"} & set(names)
    assert {file.content_type for file in files} == {"application/octet-stream", "application/pdf"}


def test_render(tmp_path: Path) -> None:
    """A template knows the message, the mailbox and the route."""
    rendered = context(FAX, tmp_path).render(
        "{{ message.type }} {{ mailbox }} {{ route }}", FAX.message
    )
    assert rendered == "Fax 230919004/230919005 Faxes"
