"""`ringpost messages list`: pages printed as they come, so that years need no memory."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.bars import Bar
from ringpost.mailbox_by_hand import Opened
from ringpost.message_filters import Filters
from ringpost.message_pages import MOST_ON_A_PAGE, pages
from ringpost.message_tables import show_list
from ringpost.output import local_time, show_json_line
from ringpost.plain import escaped

# A page costs one call whatever its size, and filters of our own may leave little of it.
_LEAST_ON_A_PAGE = 100

Show = Callable[[list[Message], str], None]
"""Shows a page of the mailbox of this name."""


class Listing:
    """One run of the command; it knows how far it has come."""

    def __init__(self, filters: Filters, limit: int | None, show: Show) -> None:
        self._filters = filters
        self._limit = limit
        self._show = show
        self.count = 0
        self._title = ""
        self._oldest: Message | None = None

    def how_far(self) -> str:
        """What has been listed when it ended before its time; nothing if nothing has."""
        if not self.count:
            return ""
        words = f"listed so far: {self.count:,} messages"
        if self._oldest is None:
            return f"{words}; of mailbox {self._title} none yet"
        # a second later: what shares the last one may not have been shown
        go_on = self._oldest.created.astimezone() + timedelta(seconds=1)
        return (
            f"{words}, of mailbox {self._title} back to "
            f"{local_time(self._oldest.creation_time)}; to go on there: "
            f"--date-to {go_on.isoformat(timespec='seconds')}"
        )

    async def run(self, opened: Opened) -> None:
        """List one mailbox after the other; one that cannot be read costs no other."""
        with Bar("reading") as bar:
            for mailbox, title in opened.titles.items():
                bar.name(f"reading mailbox {title}")
                with opened.reading(mailbox):
                    await self._list(opened, mailbox, title, bar)

    async def _list(self, opened: Opened, mailbox: Mailbox, title: str, bar: Bar) -> None:
        left = self._limit
        self._title, self._oldest = title, None
        per_page = min(max(left or MOST_ON_A_PAGE, _LEAST_ON_A_PAGE), MOST_ON_A_PAGE)
        async for page in pages(opened.store, mailbox, self._filters, bar.pause, per_page):
            bar.advance(page.looked_at)
            bar.expect(page.left)
            shown = page.messages[:left]
            if shown:
                with bar.away():
                    self._show(shown, str(mailbox))
                self.count += len(shown)
                self._oldest = shown[-1]
            if left is not None:
                left -= len(shown)
                if left <= 0:
                    return


def as_table(several: bool) -> Show:
    """Pages as tables, with a column for the mailbox where there are several."""

    def show(messages: list[Message], mailbox: str) -> None:
        show_list(messages, mailbox if several else None)

    return show


def as_lines(several: bool) -> Show:
    """A JSON document a line and message."""

    def show(messages: list[Message], mailbox: str) -> None:
        for message in messages:
            show_json_line(_document(message, mailbox if several else None))

    return show


class JsonArray:
    """One JSON array that grows; it is valid JSON however the work ends."""

    def __init__(self, several: bool) -> None:
        self._several = several
        self._open = False

    def show(self, messages: list[Message], mailbox: str) -> None:
        """Add a page."""
        for message in messages:
            sys.stdout.write(",\n" if self._open else "[\n")
            self._open = True
            document = _document(message, mailbox if self._several else None)
            text = json.dumps(document, indent=2, ensure_ascii=False)
            sys.stdout.write(escaped("\n".join(f"  {line}" for line in text.split("\n"))))
        sys.stdout.flush()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Write its end, also when the work is broken off."""
        try:
            yield
        finally:
            sys.stdout.write("\n]\n" if self._open else "[]\n")


def _document(message: Message, mailbox: str | None) -> dict[str, Any]:
    record = message.to_wire()
    return record if mailbox is None else {"mailbox": mailbox, **record}
