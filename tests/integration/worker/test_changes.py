"""Every change of a message is told to the routes that are on it: once, and none of our own."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from sandbox import RingCentral
from tests.support.mailman import Mailman
from worker.happenings import WORDS
from worker.ledger import Ledger
from worker.own_changes import OwnChanges

CONFIGURATION = """
mailboxes = ["~"]
[sync]
start = "{start}"
[handlers.vault]
use = "archive"
to = "file:///tmp/nowhere"
[[routes]]
name = "all"
on = {on}
steps = ["vault"]
[[routes]]
name = "faxes"
on = "deleted"
match.type = "Fax"
steps = ["vault"]
[[routes]]
name = "plain"
steps = ["vault"]
"""
KINDS = ("sms", "mms", "fax", "voicemail", "pager")
Change = Callable[[Any], Awaitable[object]]


@pytest.fixture
def mailman(store: MessageStore, ledger: Ledger, tmp_path: Path) -> Callable[..., Mailman]:
    """`mailman(on=[...])`: the route `all` is on these, all by default."""

    def hire(on: tuple[str, ...] = WORDS, start: str = "2h") -> Mailman:
        path = tmp_path / "ringpost.toml"
        path.write_text(CONFIGURATION.format(start=start, on=list(on)))
        return Mailman(store, ledger, path)

    return hire


Hire = Callable[..., Mailman]


async def news(mailman: Mailman, route: str = "all") -> list[str]:
    """What the next sync makes due on a route, delivered at once."""
    await mailman.synchronise()
    return sorted(claim.on for claim in await mailman.news() if claim.route == route)


@pytest.mark.parametrize("kind", KINDS)
async def test_inbound(
    kind: str, ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """A message of each kind arrives, is read, read again, and deleted."""
    hired = mailman()
    record = await ringcentral.receives(kind)
    mailbox, ids = await store.signed_in(), [str(record["id"])]
    assert await news(hired) == ["created"]
    await store.set_read_status(mailbox, ids, "Read")
    assert await news(hired) == ["read"]
    await store.set_read_status(mailbox, ids, "Unread")
    assert await news(hired) == []
    await store.set_read_status(mailbox, ids, "Read")
    assert await news(hired) == ["read"]
    await store.delete(mailbox, ids)
    assert await news(hired) == ["deleted"]
    assert await news(hired) == []


@pytest.mark.parametrize("kind", ["sms", "mms", "fax", "pager"])
@pytest.mark.parametrize("end", ["Delivered", "DeliveryFailed", "SendingFailed"])
async def test_outbound(kind: str, end: str, ringcentral: RingCentral, mailman: Hire) -> None:
    """A message of each kind is written, sent, and arrives or not."""
    hired = mailman()
    record = await ringcentral.receives(
        kind, direction="Outbound", message_status="Queued", read_status="Read"
    )
    assert await news(hired) == ["created"]
    if end != "SendingFailed":
        await ringcentral.changes(record["id"], messageStatus="Sent")
        assert await news(hired) == ["sent"]
    await ringcentral.changes(record["id"], messageStatus=end)
    assert await news(hired) == ["delivered" if end == "Delivered" else "failed"]


async def test_transcribed(ringcentral: RingCentral, mailman: Hire) -> None:
    """A voicemail is told again when its transcription is there, with it."""
    hired = mailman()
    voicemail = await ringcentral.receives_voicemail()
    await ringcentral.changes(voicemail["id"], vmTranscriptionStatus="InProgress")
    assert await news(hired) == ["created"]

    await ringcentral.transcribes(voicemail["id"], "Call me back")
    await hired.synchronise()

    [claim] = await hired.news()
    assert (claim.route, claim.on) == ("all", "transcribed")
    assert "AudioTranscription" in (claim.snapshot or "")


async def test_the_pages_of_a_fax_come_later(
    ringcentral: RingCentral, store: MessageStore, ledger: Ledger, tmp_path: Path
) -> None:
    """A route that asks for them runs once they are known; one that does not has run already."""
    path = tmp_path / "ringpost.toml"
    steps = 'steps = ["mark-read"]\n'
    path.write_text(
        f'[sync]\nstart = "2h"\n[[routes]]\nname = "long"\nmatch.pages = ">= 10"\n{steps}'
        f'[[routes]]\nname = "all"\n{steps}'
    )
    hired = Mailman(store, ledger, path)
    record = await ringcentral.receives_fax(pages=12)
    await ringcentral.changes(record["id"], faxPageCount=0)
    await hired.synchronise()
    assert [(claim.route, claim.on) for claim in await hired.news()] == [("all", "created")]
    await ringcentral.changes(record["id"], faxPageCount=12)
    await hired.synchronise()
    found = {
        (claim.route, claim.on, "12" in (claim.snapshot or "")) for claim in await hired.news()
    }
    assert found == {("long", "created", True)}
    await ringcentral.changes(record["id"], readStatus="Read")
    assert await news(hired, "long") == []


async def test_between_two_syncs(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """What happened before a message was first seen is not lost, even if it is deleted by then."""
    hired = mailman()
    await hired.synchronise()
    sent = await ringcentral.receives_sms(
        direction="Outbound", message_status="Delivered", read_status="Read"
    )
    gone = await ringcentral.receives_voicemail(read_status="Read", transcription="Hello")
    await store.delete(await store.signed_in(), [str(gone["id"])])

    await hired.synchronise()

    found = {(claim.message_id, claim.on) for claim in await hired.news() if claim.route == "all"}
    assert found == {
        *((str(sent["id"]), on) for on in ("created", "sent", "delivered")),
        *((str(gone["id"]), on) for on in ("created", "transcribed", "read", "deleted")),
    }


async def test_only_those_who_are_on_it(ringcentral: RingCentral, mailman: Hire) -> None:
    """A route that says nothing is for new messages; what nobody wants costs nothing."""
    hired = mailman(on=("failed",))
    record = await ringcentral.receives_sms()
    assert await news(hired, "plain") == ["created"]
    assert await news(hired) == []

    await ringcentral.changes(record["id"], readStatus="Read")
    result = await hired.synchronise()

    assert (result.updated, result.delivered, await hired.news()) == (1, 0, [])


async def test_older_than_the_start(ringcentral: RingCentral, mailman: Hire) -> None:
    """What happens to a message from before the start is nobody's news."""
    clock = ringcentral.server.emulator.clock
    old = await ringcentral.receives_sms(created=clock.time() - 3 * 3600)
    hired = mailman()
    assert await news(hired) == []
    await ringcentral.changes(old["id"], readStatus="Read")
    assert await news(hired) == []


async def test_a_deleted_message_is_read_once_if_somebody_wants_it(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """RingCentral tells only its id: it is fetched, so that a match can hold; many at a time."""
    hired = mailman()
    records = [await ringcentral.receives_fax() for _ in range(25)]
    records.append(await ringcentral.receives_sms())
    ids = [str(record["id"]) for record in records]
    await hired.synchronise()
    await hired.news()
    before = ringcentral.count("readMessage")

    await store.delete(await store.signed_in(), ids)
    await hired.synchronise()

    claims = await hired.news()
    assert {claim.message_id for claim in claims if claim.route == "all"} == set(ids)
    assert {claim.message_id for claim in claims if claim.route == "faxes"} == set(ids[:-1])
    assert ringcentral.count("readMessage") - before == 2


async def test_nobody_wants_deleted_messages(
    ringcentral: RingCentral, store: MessageStore, ledger: Ledger, tmp_path: Path
) -> None:
    """Without a route that is on it, a deletion costs no call."""
    path = tmp_path / "ringpost.toml"
    text = CONFIGURATION.replace('on = "deleted"', 'on = "read"')
    path.write_text(text.format(start="2h", on=["created"]))
    hired = Mailman(store, ledger, path)
    record = await ringcentral.receives_fax()
    await hired.synchronise()
    await store.delete(await store.signed_in(), [str(record["id"])])
    await hired.synchronise()
    assert ringcentral.count("readMessage") == 0


@pytest.mark.parametrize(("status", "code"), [(404, "CMN-102"), (400, "CMN-101"), (403, "CMN-408")])
async def test_a_purged_message_is_known_by_its_id_only(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore, status: int, code: str
) -> None:
    """Where nothing can be read any more, or not by us, routes are told that ask nothing of it."""
    hired = mailman()
    record = await ringcentral.receives_fax()
    await hired.synchronise()
    await hired.news()
    await store.delete(await store.signed_in(), [str(record["id"])], purge=True)
    ringcentral.fails("/message-store/", status=status, code=code)

    await hired.synchronise()

    [claim] = await hired.news()
    assert (claim.route, claim.on) == ("all", "deleted")
    assert str(record["id"]) in (claim.snapshot or "")


async def test_deleted_while_another_delivery_is_open(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """The open one goes on with what it has, and the deletion is told with it, without a call."""
    hired = mailman()
    record = await ringcentral.receives_fax()
    await hired.synchronise()
    await store.delete(await store.signed_in(), [str(record["id"])])

    await hired.synchronise()

    claims = await hired.news()
    assert {(claim.route, claim.on) for claim in claims} == {
        ("all", "created"),
        ("plain", "created"),
        ("all", "deleted"),
        ("faxes", "deleted"),
    }
    assert all('"RenderedDocument"' in (claim.snapshot or "") for claim in claims)
    assert ringcentral.count("readMessage") == 0


@pytest.mark.parametrize("returned", [True, False], ids=["after", "before"])
async def test_our_own_changes_are_no_news(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore, ledger: Ledger, returned: bool
) -> None:
    """What a handler marks or deletes is not told, even if a sync sees it before it returns."""
    hired = mailman()
    mailbox = await store.signed_in()
    ids = [str((await ringcentral.receives_sms())["id"]) for _ in range(3)]
    await hired.synchronise()
    await hired.news()

    class Watching(MessageStore):
        """Synchronises in the middle of a change."""

        def __init__(self) -> None:
            self._http = store._http

        async def set_read_status(self, *args: Any) -> Any:
            outcomes = await super().set_read_status(*args)
            if not returned:
                await hired.synchronise()
            return outcomes

    own = OwnChanges(Watching(), ledger)
    await own.set_read_status(mailbox, ids, "Read")
    assert await news(hired) == []
    await own.delete(mailbox, ids[:1])
    assert await news(hired) == []
    assert ringcentral.count("readMessage") == 0

    await store.set_read_status(mailbox, ids[1:], "Unread")
    await hired.synchronise()
    await store.set_read_status(mailbox, ids[1:], "Read")
    assert await news(hired) == ["read", "read"]


async def test_a_mark_that_changes_nothing_is_not_waited_for(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore, ledger: Ledger
) -> None:
    """We mark what is read already; that somebody reads it later again is news."""
    hired = mailman()
    mailbox = await store.signed_in()
    record = await ringcentral.receives_sms(read_status="Read")
    ids = [str(record["id"])]
    await hired.synchronise()
    await hired.news()
    await OwnChanges(store, ledger).set_read_status(mailbox, ids, "Read")

    await store.set_read_status(mailbox, ids, "Unread")
    await hired.synchronise()
    await store.set_read_status(mailbox, ids, "Read")

    assert await news(hired) == ["read"]


@pytest.mark.parametrize(("status", "code"), [(404, "CMN-102"), (403, "CMN-408")])
async def test_a_refused_mark_is_not_ours(
    ringcentral: RingCentral,
    mailman: Hire,
    store: MessageStore,
    ledger: Ledger,
    status: int,
    code: str,
) -> None:
    """What RingCentral refused us and somebody else does then is news."""
    hired = mailman()
    mailbox = await store.signed_in()
    record = await ringcentral.receives_sms()
    ids = [str(record["id"])]
    await hired.synchronise()
    await hired.news()
    ringcentral.fails("/message-store/", status=status, code=code, method="PUT")
    with contextlib.suppress(PermissionMissing):
        outcomes = await OwnChanges(store, ledger).set_read_status(mailbox, ids, "Read")
        assert outcomes[ids[0]] is not None

    await store.set_read_status(mailbox, ids, "Read")

    assert await news(hired) == ["read"]


async def test_an_incremental_answer_that_is_not_whole(
    ringcentral: RingCentral,
    mailman: Hire,
    store: MessageStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it tells counts, also of old messages that the walk after it does not find."""
    clock = ringcentral.server.emulator.clock
    hired = mailman(start="3d")
    old = await ringcentral.receives_sms(created=clock.time() - 2 * 86400)
    assert await news(hired) == ["created"]
    complete = MessageStore.sync

    async def sync(self: MessageStore, *args: Any, token: str | None = None, **more: Any) -> Any:
        page = await complete(self, *args, token=token, **more)
        return page if token is None else replace(page, older_records_exist=True)

    monkeypatch.setattr(MessageStore, "sync", sync)
    await ringcentral.changes(old["id"], readStatus="Read")
    await ringcentral.receives_sms()

    assert await news(hired) == ["created", "read"]


async def test_a_sync_token_dies_with_a_backlog(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """Each of several hundred messages is told once, and what happened meanwhile too, in pages."""
    hired = mailman()
    mailbox = await store.signed_in()
    now = ringcentral.server.emulator.clock.time()
    first = [await ringcentral.receives_sms(created=now - 1200 + n) for n in range(300)]
    told: list[tuple[str, str]] = []

    async def tell() -> None:
        await hired.synchronise()
        told.extend((c.message_id, c.on) for c in await hired.news() if c.route == "all")

    await tell()
    await ringcentral.forgets_sync_tokens()
    second = [await ringcentral.receives_sms(created=now - 400 + n) for n in range(300)]
    read = [str(record["id"]) for record in [*first[:40], *second[:40]]]
    await store.set_read_status(mailbox, read, "Read")
    await tell()
    await ringcentral.forgets_sync_tokens()
    await tell()

    created = [(str(record["id"]), "created") for record in [*first, *second]]
    assert sorted(told) == sorted([*created, *((id_, "read") for id_ in read)])
