"""What RingCentral lists of a mailbox, page by page, from the newest to the oldest.

A thousand messages a call, in bulk: nothing costs fewer calls and is exact at the same time.
Source: https://developers.ringcentral.com/api-reference/Message-Store/listMessages
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel

from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message

if TYPE_CHECKING:
    from message_store.client import MessageStore

MOST_ON_A_PAGE = 1000
AVAILABLE = ("Alive", "Deleted")
# RingCentral may cut times to whole seconds, and does not say whether `dateTo` itself is included.
_SECOND = timedelta(seconds=1)

Told = Callable[[datetime | None], None]
"""Told until when RingCentral's limit holds us back, and with None when that is over."""


def tell_nobody(_: datetime | None) -> None:
    """Told where nobody waits."""


class Place(BaseModel):
    """How far a walk has come: at a page of what was created before `until`.

    Each page ends where the one before began, so that nothing is passed over when messages
    disappear meanwhile. `page` only leads through a second that fills more than one; `known` are
    the ids of that border that were told already.
    """

    until: datetime
    page: int = 1
    known: list[str] = []


def next_place(place: Place, records: Sequence[Message], since: datetime) -> Place | None:
    """Where the walk goes on after these records, if RingCentral says that there are more."""
    dated = [record for record in records if record.creation_time]
    if not dated:
        return None
    border = min(record.created for record in dated) + _SECOND
    if border <= since:
        return None
    if border >= place.until:
        known = [*place.known, *(record.id for record in records)]
        return Place(until=place.until, page=place.page + 1, known=_once_each(known))
    # What is known already is of the second before the last border: some of it may come again.
    known = place.known if border >= place.until - _SECOND else []
    known = [*known, *(record.id for record in dated if record.created <= border)]
    return Place(until=border, known=_once_each(known))


def _once_each(ids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ids))


async def look(
    store: "MessageStore",
    mailbox: Mailbox,
    place: Place,
    since: datetime,
    *,
    owner: str | None = None,
    availability: Sequence[str] = AVAILABLE,
    per_page: int | None = None,
    told: Told = tell_nobody,
) -> tuple[list[Message], Place | None]:
    """The messages of one page that were not told before, and where to go on (None: the end).

    Deleted messages are among them by default, purged ones are not. RingCentral's limits are waited
    for, which is `told`; any other RingCentralError is raised.
    """
    while True:
        try:
            found = await store.list(
                mailbox,
                availability=availability,
                date_from=since,
                date_to=place.until,
                page=place.page,
                per_page=per_page or MOST_ON_A_PAGE,
                owner=owner,
            )
            break
        except RateLimited as error:
            told(datetime.now(UTC) + timedelta(seconds=error.retry_after))
            await asyncio.sleep(error.retry_after)
            told(None)
    known = set(place.known)
    fresh = [
        record
        for record in found.records
        if record.id not in known and since <= record.created < place.until
    ]
    more = found.has_next and bool(found.records)
    return fresh, next_place(place, found.records, since) if more else None


async def walk(
    store: "MessageStore",
    mailbox: Mailbox,
    since: datetime,
    until: datetime,
    *,
    owner: str | None = None,
    availability: Sequence[str] = AVAILABLE,
    told: Told = tell_nobody,
) -> AsyncIterator[list[Message]]:
    """All pages of what was created in this period, `until` excluded, each message once."""
    place: Place | None = Place(until=until)
    while place is not None:
        records, place = await look(
            store, mailbox, place, since, owner=owner, availability=availability, told=told
        )
        yield records
