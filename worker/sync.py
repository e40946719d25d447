"""Synchronises one mailbox: asks what is new, decides what it means, writes it page by page.

New or changed is decided by the ledger, not by RingCentral: its answers repeat records (5 s
overlap), and an update says only that something changed.
Source: https://developers.ringcentral.com/guide/messaging/message-store/message-sync
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from message_store.client import MessageStore
from message_store.errors import BadAnswer, FullSyncRequired, NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import SyncPage

from .configuration import Configuration
from .ledger.mailboxes import Changed, MailboxLedger, Missed, Page, Seen, SyncLease
from .routes import matching

log = structlog.get_logger()

RECORDS_PER_PAGE = 250
# Deltas overlap by 5 s at RingCentral; after a lost token we go back further than any clock errs.
_MARGIN = timedelta(minutes=10)


class OvertakenError(Exception):
    """Another worker took the mailbox over; what it commits stands."""


@dataclass
class SyncResult:
    """How many messages one sync found: new, changed, gone before they could be read."""

    mailbox: Mailbox
    created: int = 0
    delivered: int = 0
    updated: int = 0
    missed: int = 0
    calls: int = 0


@dataclass
class _Sorted:
    created: list[Seen] = field(default_factory=list)
    updated: list[Changed] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)


class Synchroniser:
    """Brings what is new in a mailbox into the ledger."""

    def __init__(
        self, store: MessageStore, ledger: MailboxLedger, configuration: Configuration
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._configuration = configuration

    async def synchronise(self, lease: SyncLease) -> SyncResult:
        """Commit everything new since the last sync; the lease stays with the caller.

        Raises RingCentralError, LedgerError or OvertakenError; what was committed before stands.
        """
        result = SyncResult(lease.mailbox)
        if lease.sync_token is None or lease.walk_token is not None:
            await self._full(lease, result)
            return result
        try:
            page = await self._store.sync(lease.mailbox, token=lease.sync_token)
        except FullSyncRequired as error:
            log.warning("full sync required", mailbox=str(lease.mailbox), reason=str(error))
            await self._full(lease, result)
            return result
        result.calls += 1
        if page.older_records_exist:
            # An incremental answer cannot be paged: walk the gap since the last sync instead.
            await self._full(lease, result)
        else:
            await self._commit(lease, page.records, result, token=page.token)
        return result

    async def _full(self, lease: SyncLease, result: SyncResult) -> None:
        # The token of the first page stands for the whole walk: later ones end at date_to.
        token = lease.walk_token
        date_to = datetime.fromtimestamp(lease.walk_to, UTC) if lease.walk_to else None
        since = self._since(lease)
        while True:
            page = await self._store.sync(
                lease.mailbox, date_from=since, date_to=date_to, record_count=RECORDS_PER_PAGE
            )
            result.calls += 1
            token = token or page.token
            if not page.older_records_exist:
                await self._commit(lease, page.records, result, token=token)
                return
            date_to = _oldest(lease.mailbox, page, date_to)
            walked = (token, date_to.timestamp())
            await self._commit(lease, page.records, result, walked=walked)

    def _since(self, lease: SyncLease) -> datetime:
        since = datetime.fromtimestamp(lease.floor, UTC)
        if lease.synchronised is None:
            log.info("first sync", mailbox=str(lease.mailbox), since=since.isoformat())
            return since
        since = max(since, datetime.fromtimestamp(lease.synchronised, UTC) - _MARGIN)
        log.warning("sync goes back", mailbox=str(lease.mailbox), since=since.isoformat())
        return since

    async def _commit(
        self,
        lease: SyncLease,
        records: Sequence[Message],
        result: SyncResult,
        *,
        token: str | None = None,
        walked: tuple[str | None, float | None] = (None, None),
    ) -> None:
        sorted_ = await self._sort(lease.mailbox, records, lease.floor)
        page = Page(sorted_.created, sorted_.updated, sorted_.missed, token, *walked)
        if not await self._ledger.commit(lease, page):
            raise OvertakenError(f"the sync of {lease.mailbox} was overtaken by another")
        result.created += len(sorted_.created)
        result.delivered += sum(bool(seen.routes) for seen in sorted_.created)
        result.updated += len(sorted_.updated)
        result.missed += len(sorted_.missed)

    async def _sort(self, mailbox: Mailbox, records: Sequence[Message], floor: float) -> _Sorted:
        sorted_ = _Sorted()
        known = await self._ledger.known(mailbox, [record.id for record in records])
        # An unknown record may come as deleted, with nothing but its id.
        bare = [r.id for r in records if r.id not in known and not r.creation_time]
        rescued = await self._rescued(mailbox, bare)
        for record in records:
            print_ = fingerprint(record)
            if record.id in known:
                if known[record.id] != print_:
                    sorted_.updated.append(_changed(record, print_, known=True))
                continue
            message = record if record.creation_time else rescued.get(record.id)
            if message is None:
                reason = "deleted at RingCentral before it could be read"
                sorted_.missed.append(Missed(record.id, print_, reason))
                log.warning("message missed", mailbox=str(mailbox), message=record.id)
            elif message.created.timestamp() < floor:
                sorted_.updated.append(_changed(message, print_, known=False))
            else:
                sorted_.created.append(self._seen(mailbox, message, print_))
        return sorted_

    async def _rescued(self, mailbox: Mailbox, ids: Sequence[str]) -> dict[str, Message]:
        """Those of the messages that can still be read."""
        found = await self._store.get_many(mailbox, ids) if ids else {}
        for outcome in found.values():
            if isinstance(outcome, RingCentralError) and not isinstance(outcome, NotFound):
                raise outcome
        return {
            id_: message
            for id_, message in found.items()
            if isinstance(message, Message)
            and message.creation_time
            and message.availability != "Purged"
        }

    def _seen(self, mailbox: Mailbox, message: Message, print_: str) -> Seen:
        routes = matching(self._configuration.routes, message, mailbox)
        return Seen(
            id=message.id,
            created=message.created.timestamp(),
            print=print_,
            snapshot=message.model_dump_json(by_alias=True, exclude_unset=True),
            routes=[route.name for route in routes],
        )


def fingerprint(message: Message) -> str:
    """What of a message matters when it changes, in one short text."""
    parts = (
        message.availability or "Alive",
        message.read_status or "",
        message.message_status or "",
        message.vm_transcription_status or "",
    )
    return "|".join(parts)


def _oldest(mailbox: Mailbox, page: SyncPage, date_to: datetime | None) -> datetime:
    """Where the next page of a walk ends; BadAnswer if the walk would not come any further."""
    dated = (record for record in page.records if record.creation_time)
    oldest = min((record.created for record in dated), default=None)
    if oldest is None or (date_to is not None and oldest >= date_to):
        raise BadAnswer(f"message-sync of {mailbox} says that older records exist but gives none")
    return oldest


def _changed(message: Message, print_: str, *, known: bool) -> Changed:
    # A deleted record has nothing but its id: the snapshot that is kept says more.
    snapshot = None
    if message.creation_time:
        snapshot = message.model_dump_json(by_alias=True, exclude_unset=True)
    return Changed(message.id, print_, snapshot, known)


def retry_in(asked: float | None, failures: int) -> float:
    """Seconds until a mailbox whose sync failed is tried again; RingCentral's own word wins."""
    return min(5.0 * 2 ** min(failures, 10), 300.0) if asked is None else asked
