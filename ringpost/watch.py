"""`ringpost messages watch`: what comes and changes in mailboxes, told as it happens.

It has sync tokens of its own and changes nothing, at RingCentral or in the ledger.
Source: https://developers.ringcentral.com/guide/messaging/message-store/message-sync
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from message_store.errors import FullSyncRequired, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import SyncPage
from ringpost.mailbox_by_hand import Opened
from ringpost.message_filters import Filters
from ringpost.message_pages import pages
from ringpost.message_tables import first_line, kind
from ringpost.output import hint, local_time
from ringpost.refusal import Refusal
from ringpost.sightings import News, Sightings
from ringpost.waiting import Told, patiently, say_pause
from worker.schedule import poll_seconds

# How old a message may be whose changes are told; a sync token is for a frame of dates.
FRAME = timedelta(days=30)
# Deltas overlap by so much at RingCentral; after a gap we go back further than clocks err.
_OVERLAP = timedelta(seconds=5)
_MARGIN = timedelta(minutes=1)
_RECORDS = 250
_LONGEST_PAUSE = 60.0

Tell = Callable[[Mailbox, News], None]


class Watch:
    """Polls mailboxes in turn, each at most every `interval` seconds (None: what limits allow)."""

    def __init__(
        self, filters: Filters, tell: Tell, *, since: datetime | None, interval: float | None = None
    ) -> None:
        self._filters = filters
        self._tell = tell
        self._since = since
        self._interval = interval
        self._mailboxes: dict[Mailbox, WatchedMailbox] = {}
        self._failures = 0

    async def run(self, opened: Opened) -> None:
        """Watch until cancelled; raises the last RingCentralError when no mailbox can be read."""
        self._mailboxes = {
            mailbox: WatchedMailbox(opened, mailbox, self._filters, self._since)
            for mailbox in opened.mailboxes
        }
        for mailbox in opened.mailboxes:
            await self._look(opened, mailbox)
        while True:
            interval = self._interval or poll_seconds(timedelta.max, len(self._mailboxes))
            for mailbox in list(self._mailboxes):
                await asyncio.sleep(interval / len(self._mailboxes))
                await self._look(opened, mailbox)

    async def _look(self, opened: Opened, mailbox: Mailbox) -> None:
        """Tell what is new in a mailbox; while RingCentral fails, wait and try it again."""
        while True:
            found: list[News] | None = None
            try:
                with opened.reading(mailbox):
                    found = await self._mailboxes[mailbox].news(say_pause)
            except RingCentralError as error:
                if not error.transient:
                    raise
                await self._hold_out(error)
                continue
            if self._failures:
                hint("RingCentral answers again")
            self._failures = 0
            if found is None:
                self._leave(opened, mailbox)
                return
            for news in found:
                self._tell(mailbox, news)
            return

    def _leave(self, opened: Opened, mailbox: Mailbox) -> None:
        title = opened.titles[mailbox]
        hint(f"mailbox {title} is not watched any more: {opened.unreadable[title]}")
        del self._mailboxes[mailbox]
        if not self._mailboxes:
            raise Refusal("there is no mailbox left to watch", exit_code=1)

    async def _hold_out(self, error: RingCentralError) -> None:
        if not self._failures:
            hint(f"{error}; trying again")
        pause = min((self._interval or 5.0) * 2 ** min(self._failures, 10), _LONGEST_PAUSE)
        self._failures += 1
        await asyncio.sleep(max(pause, error.retry_after or 0.0))


class WatchedMailbox:
    """What has been seen of one mailbox, and the token that leads on from there."""

    def __init__(
        self, opened: Opened, mailbox: Mailbox, filters: Filters, since: datetime | None
    ) -> None:
        self._store = opened.store
        self._mailbox = mailbox
        self._filters = filters
        self._since = since
        self._token: str | None = None
        self._time: datetime | None = None
        self._sightings: Sightings | None = None

    async def news(self, told: Told) -> list[News]:
        """What has come or changed since the last call, the oldest first."""
        if self._token is None or self._sightings is None:
            return await self._begin(told)
        token = self._token
        try:
            page = await patiently(lambda: self._store.sync(self._mailbox, token=token), told)
        except FullSyncRequired:
            return await self._catch_up(self._sightings, told)
        if page.older_records_exist:
            return await self._catch_up(self._sightings, told)
        self._token, self._time = page.token, page.time or self._time
        return self._chosen(self._sightings, page.records)

    async def _begin(self, told: Told) -> list[News]:
        """Know what is there; new is what comes from now on, or has come since `since`."""
        page = await self._full(told)
        now = page.time or self._store.server_time() or datetime.now(UTC)
        sightings = Sightings(since=self._since or now - _OVERLAP)
        early = [] if self._since is None else await self._walk(self._since, told)
        told_already = {message.id for message in early}
        sightings.know(record for record in page.records if record.id not in told_already)
        # Written last: after a failure it begins again.
        self._sightings, self._token, self._time = sightings, page.token, now
        return self._chosen(sightings, early)

    async def _catch_up(self, sightings: Sightings, told: Told) -> list[News]:
        """The token is worth nothing any more: look through the gap, and go on with a new one."""
        page = await self._full(told)
        since = (self._time or datetime.now(UTC)) - _MARGIN
        missed = await self._walk(since, told)
        found = {message.id: message for message in [*page.records, *missed]}
        self._token, self._time = page.token, page.time or self._time
        return self._chosen(sightings, found.values())

    async def _full(self, told: Told) -> SyncPage:
        begin = (self._store.server_time() or datetime.now(UTC)) - FRAME
        return await patiently(
            lambda: self._store.sync(self._mailbox, date_from=begin, record_count=_RECORDS), told
        )

    async def _walk(self, since: datetime, told: Told) -> list[Message]:
        found: list[Message] = []
        filters = Filters(date_from=since)
        async for page in pages(self._store, self._mailbox, filters, told):
            found += page.messages
        return found

    def _chosen(self, sightings: Sightings, records: Iterable[Message]) -> list[News]:
        seen = [sightings.see(record) for record in records]
        found = [one for one in seen if one is not None and self._filters.meets_kind(one.message)]
        return sorted(found, key=lambda one: (one.message.created, one.message.id))


def in_one_line(news: News, mailbox: Mailbox | None) -> str:
    """What has happened, for people; `mailbox` is told where there are several."""
    message = news.message
    changes = (f"{name} {old or '-'} -> {now or '-'}" for name, (old, now) in news.changes.items())
    parts = (
        str(mailbox or ""),
        message.id,
        kind(message),
        message.direction or "",
        f"{message.sender} -> {message.recipients or 'unknown'}" if message.creation_time else "",
        ", ".join(changes),
        first_line(message.text),
    )
    moment = local_time(message.last_modified_time or datetime.now(UTC), seconds=True)
    # a name may have line ends, and what comes after them would look like news of its own
    words = "  ".join(" ".join(part.split()) for part in parts if part)
    return f"{moment}  {news.kind:<7}  {words}"


def as_document(mailbox: Mailbox, news: News) -> dict[str, Any]:
    """What has happened, for programs."""
    return {
        "change": news.kind,
        "mailbox": str(mailbox),
        "was": news.was,
        "message": news.message.to_wire(),
    }
