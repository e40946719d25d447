"""Paging by dates, whatever RingCentral makes of `dateTo`."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import ListPage
from ringpost.message_filters import Filters
from ringpost.message_pages import pages

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Store:
    """Messages by age in seconds; `dateTo` is part of the range, or is not."""

    def __init__(self, ages: list[int], inclusive: bool) -> None:
        self.inclusive = inclusive
        self.messages = [
            Message.model_validate(
                {"id": number, "creationTime": (NOW - timedelta(seconds=age)).isoformat()}
            )
            for number, age in enumerate(sorted(ages), start=1)
        ]

    def server_time(self) -> datetime:
        return NOW

    async def list(
        self, mailbox: Mailbox, *, date_to: datetime | None, page: int, per_page: int, **_: Any
    ) -> ListPage:
        end = date_to or NOW + timedelta(days=1)
        found = [
            m for m in self.messages if m.created < end or (self.inclusive and m.created == end)
        ]
        records = found[(page - 1) * per_page : page * per_page]
        return ListPage(records, page, None, len(found) > page * per_page)


@pytest.mark.parametrize("inclusive", [True, False])
@settings(deadline=None)
@given(ages=st.lists(st.integers(0, 12), max_size=30), per_page=st.integers(1, 7))
async def test_each_message_once(inclusive: bool, ages: list[int], per_page: int) -> None:
    """However many share a second, and whether or not `dateTo` itself is included."""
    store = Store(ages, inclusive)
    found: list[str] = []
    calls = pages(
        cast("MessageStore", store), Mailbox("7", "1"), Filters(), lambda until: None, per_page
    )
    async for page in calls:
        found += [message.id for message in page.messages]
    assert found == [message.id for message in store.messages]
