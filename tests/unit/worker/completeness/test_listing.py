"""The walk through a mailbox: every message once, whatever RingCentral makes of `dateTo`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from message_store.client import MessageStore
from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import ListPage
from worker.completeness import listing
from worker.completeness.listing import Place, look, walk

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
MAILBOX = Mailbox("1", "2")


class Store:
    """Messages by age in seconds, the newest first; `dateTo` is part of the range, or is not."""

    def __init__(self, ages: Sequence[float], *, inclusive: bool = True) -> None:
        self.inclusive = inclusive
        self.refusals = 0
        self.messages = [
            Message.model_validate(
                {"id": number, "creationTime": (NOW - timedelta(seconds=age)).isoformat()}
            )
            for number, age in enumerate(sorted(ages), start=1)
        ]

    async def list(
        self, _: Mailbox, *, date_to: datetime, page: int, per_page: int, **_more: Any
    ) -> ListPage:
        if self.refusals:
            self.refusals -= 1
            raise RateLimited("later", retry_after=0.001)
        found = [
            m
            for m in self.messages
            if m.created < date_to or (self.inclusive and m.created == date_to)
        ]
        start = (page - 1) * per_page
        some = found[start : start + per_page]
        return ListPage(some, page, None, len(found) > start + per_page)


async def ids_of(store: Store, since: datetime = SINCE) -> list[str]:
    pages = walk(cast(MessageStore, store), MAILBOX, since, NOW)
    return [message.id async for page in pages for message in page]


@settings(deadline=None, max_examples=300)
@example(ages=[21.75, 22.0, 22.5], inclusive=False, per_page=1)
@example(ages=[1.0, 2.0, 3.0, 4.0], inclusive=True, per_page=2)
@given(
    ages=st.lists(st.integers(1, 4 * 3599).map(lambda quarter: quarter / 4), max_size=40),
    inclusive=st.booleans(),
    per_page=st.integers(1, 7),
)
async def test_each_message_is_told_once(ages: list[float], inclusive: bool, per_page: int) -> None:
    """Also many of one second, and whether `dateTo` is included or not."""
    store = Store(ages, inclusive=inclusive)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(listing, "MOST_ON_A_PAGE", per_page)
        assert await ids_of(store) == [message.id for message in store.messages]


async def test_only_the_period_is_told() -> None:
    """RingCentral cuts times to seconds or minutes: what is outside is left out here."""
    store = Store([-1, 0, 1, 3600, 3601])
    assert await ids_of(store) == ["3", "4"]


async def test_a_limit_is_waited_for_and_told() -> None:
    """The page is asked for again; whoever waits hears of it and of its end."""
    store, told = Store([1]), list[datetime | None]()
    store.refusals = 2
    place = Place(until=NOW)
    records, more = await look(cast(MessageStore, store), MAILBOX, place, SINCE, told=told.append)
    assert [one.id for one in records] == ["1"]
    assert more is None
    assert [moment is None for moment in told] == [False, True, False, True]


async def test_a_place_survives_being_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk that goes on elsewhere from a written place tells nothing twice."""
    monkeypatch.setattr(listing, "MOST_ON_A_PAGE", 3)
    store = Store([1, 1.2, 1.4, 1.6, 2, 3, 3.5, 9])
    found: list[str] = []
    place: Place | None = Place(until=NOW)
    while place is not None:
        records, place = await look(cast(MessageStore, store), MAILBOX, place, SINCE)
        found += [one.id for one in records]
        place = place and Place.model_validate_json(place.model_dump_json())
    assert found == [message.id for message in store.messages]
