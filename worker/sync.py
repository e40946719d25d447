"""Synchronises one mailbox: asks what is new, has it sorted, writes it page by page.

Source: https://developers.ringcentral.com/guide/messaging/message-store/message-sync
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from message_store.client import MessageStore
from message_store.errors import BadAnswer, FullSyncRequired
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import SyncPage
from metrics.catalogue import MESSAGES, STAGE_DELAY

from .configuration import Configuration
from .happenings import CREATED
from .ledger import Ledger
from .ledger.mailboxes import PERSONAL, Page, SyncLease
from .sorting import Sorter

log = structlog.get_logger()

RECORDS_PER_PAGE = 250
MOST_RECORDS = 16_000
# Deltas overlap by 5 s at RingCentral; after a lost token we go back further than any clock errs.
_MARGIN = timedelta(minutes=10)
# A full sync goes by creation: so far back, it finds what changed of messages that were there.
_MARGIN_FOR_CHANGES = timedelta(days=1)


class OvertakenError(Exception):
    """Another worker took the mailbox over; what it commits stands."""


@dataclass
class SyncResult:
    """How many messages one sync found: new, changed, gone before they could be read.

    `delivered` counts those that some route wants to know of.
    """

    mailbox: Mailbox
    created: int = 0
    delivered: int = 0
    updated: int = 0
    missed: int = 0
    calls: int = 0


StoreFor = Callable[[SyncLease], MessageStore]
"""The Message Store through which a mailbox is synchronised."""


class Synchroniser:
    """Brings what is new in a mailbox into the ledger."""

    def __init__(self, store_for: StoreFor, ledger: Ledger, configuration: Configuration) -> None:
        self._store_for = store_for
        self._ledger = ledger.mailboxes
        self._consents = ledger.consents
        self.sorter = Sorter(ledger, configuration.routes)
        """Another may take its place between two pages."""
        self._owner = configuration.sync.owner
        changes = any(word != CREATED for route in configuration.routes for word in route.on)
        self._margin = _MARGIN_FOR_CHANGES if changes else _MARGIN

    async def synchronise(self, lease: SyncLease) -> SyncResult:
        """Commit everything new since the last sync; the lease stays with the caller.

        Raises RingCentralError, LedgerError or OvertakenError; what was committed before stands.
        """
        result = SyncResult(lease.mailbox)
        if lease.sync_token is None or lease.walk_token is not None:
            await self._full(lease, result)
            return result
        if lease.owner != self._owner:
            # A token answers for the owner that it was made with.
            log.info("sync for another owner", mailbox=str(lease.mailbox), owner=self._owner)
            await self._full(lease, result)
            return result
        try:
            page = await self._store_for(lease).sync(lease.mailbox, token=lease.sync_token)
        except FullSyncRequired as error:
            log.warning("full sync required", mailbox=str(lease.mailbox), reason=str(error))
            await self._full(lease, result)
            return result
        result.calls += 1
        if page.older_records_exist:
            # An incremental answer cannot be paged: walk the gap since the last sync as well.
            await self._full(lease, result, told=page.records)
        else:
            await self._commit(lease, page, result, token=page.token)
        return result

    async def _full(
        self, lease: SyncLease, result: SyncResult, *, told: Sequence[Message] = ()
    ) -> None:
        """Walk from the newest to the oldest; `told` are records that came before."""
        # The token of the first page stands for the whole walk: later ones end at date_to.
        token, date_to = None, None
        if lease.walk_to is not None and lease.walk_owner == self._owner:
            token, date_to = lease.walk_token, datetime.fromtimestamp(lease.walk_to, UTC)
        since = self._since(lease)
        records = RECORDS_PER_PAGE
        while True:
            page = await self._store_for(lease).sync(
                lease.mailbox,
                date_from=since,
                date_to=date_to,
                owner=None if self._owner == PERSONAL else self._owner.capitalize(),
                record_count=records,
            )
            result.calls += 1
            token = token or page.token
            all_told, told = replace(page, records=[*page.records, *told]), ()
            if not page.older_records_exist:
                await self._commit(lease, all_told, result, token=token)
                return
            oldest = _oldest(lease.mailbox, page)
            if date_to is not None and oldest >= date_to:
                # More messages of one second than a page holds: the next page has to be larger.
                if records >= MOST_RECORDS:
                    raise BadAnswer(f"message-sync of {lease.mailbox} comes no further back")
                records *= 4
            date_to = min(oldest, date_to or oldest)
            walked = (token, date_to.timestamp())
            await self._commit(lease, all_told, result, walked=walked)

    def _since(self, lease: SyncLease) -> datetime:
        since = datetime.fromtimestamp(lease.floor, UTC)
        if lease.synchronised is None:
            log.info("first sync", mailbox=str(lease.mailbox), since=since.isoformat())
            return since
        since = max(since, datetime.fromtimestamp(lease.synchronised, UTC) - self._margin)
        log.warning("sync goes back", mailbox=str(lease.mailbox), since=since.isoformat())
        return since

    async def _commit(
        self,
        lease: SyncLease,
        page: SyncPage,
        result: SyncResult,
        *,
        token: str | None = None,
        walked: tuple[str | None, float | None] = (None, None),
    ) -> None:
        found = await self.sorter.sort(self._store_for(lease), lease, page)
        await self._consents.note(lease.mailbox, page.records)
        written = Page(found.created, found.updated, found.missed, token, *walked, self._owner)
        if not await self._ledger.commit(lease, written):
            raise OvertakenError(f"the sync of {lease.mailbox} was overtaken by another")
        result.created += len(found.created)
        result.delivered += found.delivered
        result.updated += len(found.updated)
        result.missed += len(found.missed)
        for name, seen in (
            ("new", found.created),
            ("changed", found.updated),
            ("missed", found.missed),
        ):
            if seen:
                MESSAGES.count(name, by=len(seen))
        if lease.synchronised is not None:  # a first sync finds what was there before us
            now = time.time()
            for message in found.created:
                STAGE_DELAY.observe(now - message.created, "seen")


def _oldest(mailbox: Mailbox, page: SyncPage) -> datetime:
    """Where the next page of a walk ends; BadAnswer if nothing tells."""
    dated = (record for record in page.records if record.creation_time)
    oldest = min((record.created for record in dated), default=None)
    if oldest is None:
        raise BadAnswer(f"message-sync of {mailbox} says that older records exist but gives none")
    return oldest


def retry_in(asked: float | None, failures: int) -> float:
    """Seconds until a mailbox whose sync failed is tried again; RingCentral's own word wins."""
    return min(5.0 * 2 ** min(failures, 10), 300.0) if asked is None else asked
