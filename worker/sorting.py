"""Sorts what a sync tells: new, changed or missed, what happened, and which routes want to know.

New or changed is decided by the ledger, not by RingCentral: its answers repeat records (5 s
overlap), and an update says only that something changed.
Source: https://developers.ringcentral.com/guide/messaging/message-store/message-sync
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from message_store.client import MessageStore
from message_store.errors import BadRequest, NotFound, PermissionMissing, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import SyncPage

from .facts import Known
from .happenings import CREATED, DELETED, State, happened
from .ledger import Ledger
from .ledger.mailboxes import Changed, Happened, Missed, Seen, SyncLease
from .ledger.snapshots import read_snapshot
from .rendering import by_pages, is_rendered
from .routes import IN_PROGRESS, Route, RouteSearch
from .surroundings import Surroundings

log = structlog.get_logger()

# Somebody who empties a mailbox must not cost a call for every twenty messages of it.
MOST_DELETED_READ = 400


@dataclass
class Sorted:
    """What one page means to the ledger."""

    created: list[Seen] = field(default_factory=list)
    updated: list[Changed] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)

    @property
    def delivered(self) -> int:
        """How many messages some route wants to know of."""
        messages: list[Seen | Changed] = [*self.created, *self.updated]
        return sum(any(one.routes for one in message.happened) for message in messages)


class Sorter:
    """Compares the records of a page with what the ledger has seen of them."""

    def __init__(self, ledger: Ledger, routes: Iterable[Route]) -> None:
        self._ledger = ledger
        self._search = RouteSearch(routes)
        self._surroundings = Surroundings(ledger.extensions, self._search.routes)
        self._wants_deleted = any(DELETED in route.on for route in self._search.routes)

    async def sort(self, store: MessageStore, lease: SyncLease, page: SyncPage) -> Sorted:
        """What of a page is new or changed; unknown messages from before `floor` are not new.

        Records are not fetched again, but for deleted ones: RingCentral tells their ids only.
        """
        mailbox, sorted_ = lease.mailbox, Sorted()
        states = await self._known(mailbox, page.records)
        whole = await self._rescued(store, mailbox, page.records, states)
        whole |= await self._departed(store, mailbox, page.records, states)
        for record in page.records:
            before = states.get(record.id)
            message = whole.get(record.id, record)
            if before is None:
                message = _dated(message, page)
            now = State.of(message, before)
            if before == now:
                continue
            if before is None and not message.creation_time:
                reason = "deleted at RingCentral before it could be read"
                sorted_.missed.append(Missed(record.id, str(now), reason))
                log.warning("message missed", mailbox=str(mailbox), message=record.id)
            elif before is None and message.created.timestamp() < lease.floor:
                sorted_.updated.append(Changed(message.id, None, str(now), _snapshot(message)))
                continue
            else:
                words = happened(message, before, now)
                known = await self._surroundings.of(store, mailbox, message, words)
                at = record.last_modified_time or page.time or datetime.now(UTC)
                news = self._news(mailbox, message, words, known, at)
                if before is not None and is_rendered(before, now):
                    late = by_pages(self._search, message, mailbox, known, before)
                    news.insert(0, Happened(CREATED, late))
                if before is None:
                    sorted_.created.append(_seen(message, now, news))
                else:
                    sorted_.updated.append(_changed(message, before, now, news))
            # a page may tell of a message twice
            states[record.id] = now
        return sorted_

    async def _known(self, mailbox: Mailbox, records: Sequence[Message]) -> dict[str, State]:
        prints = await self._ledger.mailboxes.known(mailbox, [record.id for record in records])
        return {id_: State.parse(print_) for id_, print_ in prints.items()}

    def _news(
        self,
        mailbox: Mailbox,
        message: Message,
        words: Sequence[str],
        known: Known,
        at: datetime,
    ) -> list[Happened]:
        routes = self._search.by_word(message, mailbox, words, known, at)
        told = at.isoformat(timespec="milliseconds")
        return [Happened(word, routes[word], None if word == CREATED else told) for word in words]

    async def _rescued(
        self,
        store: MessageStore,
        mailbox: Mailbox,
        records: Sequence[Message],
        states: dict[str, State],
    ) -> dict[str, Message]:
        """Of the unknown messages that come as deleted, those that can still be read."""
        bare = [
            record.id
            for record in records
            if record.id not in states
            and not record.creation_time
            and (record.is_deleted or not record.type)
        ]
        found = await _read(store, mailbox, bare, without=(NotFound,))
        return {id_: one for id_, one in found.items() if one.availability != "Purged"}

    async def _departed(
        self,
        store: MessageStore,
        mailbox: Mailbox,
        records: Sequence[Message],
        states: dict[str, State],
    ) -> dict[str, Message]:
        """Of the known messages that were deleted by others, all that can be told of them."""
        if not self._wants_deleted:
            return {}
        gone = {
            record.id: record
            for record in records
            if record.is_deleted
            and not record.creation_time
            and record.id in states
            and DELETED not in states[record.id].reached
        }
        kept = await self._ledger.mailboxes.snapshots(mailbox, list(gone))
        found = {
            id_: message.model_copy(update={"availability": gone[id_].availability})
            for id_, snapshot in kept.items()
            if (message := read_snapshot(snapshot)) is not None
        }
        ours = await self._ledger.own_changes.among(mailbox, DELETED, list(gone))
        unread = [id_ for id_ in gone if id_ not in found and id_ not in ours]
        refusals = (NotFound, BadRequest, PermissionMissing)
        return found | await _read(store, mailbox, unread[:MOST_DELETED_READ], without=refusals)


async def _read(
    store: MessageStore,
    mailbox: Mailbox,
    ids: Sequence[str],
    *,
    without: tuple[type[RingCentralError], ...],
) -> dict[str, Message]:
    """Those of the messages that can still be read; any error but these is raised."""
    found: Mapping[str, Message | RingCentralError] = {}
    try:
        found = await store.get_many(mailbox, ids) if ids else {}
    except without as error:
        log.warning("deleted messages cannot be read", mailbox=str(mailbox), reason=str(error))
    for outcome in found.values():
        if isinstance(outcome, RingCentralError) and not isinstance(outcome, without):
            raise outcome
    return {
        id_: message
        for id_, message in found.items()
        if isinstance(message, Message) and message.creation_time
    }


def _dated(message: Message, page: SyncPage) -> Message:
    """The message; one that is there without a date that can be read was created just now."""
    if message.creation_time or message.is_deleted or not message.type:
        return message
    log.warning("message without a date", message=message.id)
    now = message.last_modified_time or page.time or datetime.now(UTC)
    return Message.model_validate(message.to_wire() | {"creationTime": now.isoformat()})


def _seen(message: Message, now: State, news: Sequence[Happened]) -> Seen:
    created = message.created.timestamp()
    return Seen(message.id, created, str(now), _whole(message), news)


def _changed(message: Message, before: State, now: State, news: Sequence[Happened]) -> Changed:
    snapshot = _snapshot(message)
    if snapshot is None and any(one.routes for one in news):
        snapshot = _whole(message)
    wakes = before.transcription == IN_PROGRESS != now.transcription
    return Changed(message.id, str(before), str(now), snapshot, news, wakes)


def _snapshot(message: Message) -> str | None:
    # A deleted record has nothing but its id: the snapshot that is kept says more.
    return _whole(message) if message.creation_time else None


def _whole(message: Message) -> str:
    return message.model_dump_json(by_alias=True, exclude_unset=True)
