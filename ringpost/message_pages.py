"""Pages through a mailbox, however many years it holds, with the memory of one page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import ListPage
from ringpost.message_filters import Filters
from ringpost.waiting import Told, patiently

MOST_ON_A_PAGE = 1000
# RingCentral may cut times to whole seconds, and does not say whether `dateTo` itself is included.
_SECOND = timedelta(seconds=1)
RANGE = timedelta(days=1)
"""How far a list reaches back where nothing else is said, as RingCentral has it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, the newest first, and about how many are still to come (None: nobody knows)."""

    messages: list[Message]
    looked_at: int
    left: int | None


async def pages(
    store: MessageStore,
    mailbox: Mailbox,
    filters: Filters,
    told: Told,
    per_page: int = MOST_ON_A_PAGE,
) -> AsyncIterator[Page]:
    """All that the filters mean, each message once, the newest first; limits are waited for.

    Each page ends where the one before began, so nothing is passed over when messages of earlier
    pages disappear meanwhile, as it would be by page numbers. These only lead through a second
    that fills more than a page.
    """
    until, since = filters.date_to, filters.date_from
    number, seen = 1, dict[str, datetime]()
    while True:

        async def call(
            since: datetime | None = since, until: datetime | None = until, number: int = number
        ) -> ListPage:
            return await store.list(
                mailbox,
                message_types=filters.types_to_ask(),
                directions=filters.directions,
                read_statuses=filters.read_statuses,
                availability=filters.availability,
                date_from=since,
                date_to=until,
                page=number,
                per_page=per_page,
                phone_number=filters.phone_number,
            )

        found = await patiently(call, told)
        fresh = [record for record in found.records if record.id not in seen]
        more = found.has_next and bool(found.records)
        left = found.total_pages and max(0, found.total_pages - number) * per_page
        yield Page(list(filter(filters.meets, fresh)), len(fresh), left if more else 0)
        if not more:
            return
        # Later pages must begin where the first did, on RingCentral's clock rather than on ours.
        now = store.server_time() or datetime.now(UTC)
        since = since or (until or now) - RANGE
        seen |= {record.id: record.created for record in fresh}
        dated = (record for record in found.records if record.creation_time)
        end = min((record.created for record in dated), default=since) + _SECOND
        if since < end < (until or now):
            seen = {id_: created for id_, created in seen.items() if created <= end}
            until, number = end, 1
        else:
            number += 1
