"""`ringpost routes try`: what other routes would do with messages that came; nothing is done."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.archived_messages import since as archived_since
from ringpost.bars import Bar
from ringpost.trying import Source
from ringpost.watched_mailboxes import open_watched
from worker.completeness.listing import walk
from worker.completeness.reconciling import owner_of
from worker.facts import Facts
from worker.happenings import CREATED
from worker.routes import Route, RouteSearch

From = Literal["archive", "ringcentral"]


@dataclass(frozen=True, slots=True)
class Change:
    """A message that would go other ways."""

    message: Message
    mailbox: Mailbox
    no_longer: tuple[str, ...]
    newly: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "mailbox": str(self.mailbox),
            "id": self.message.id,
            "type": self.message.type,
            "created": self.message.created,
            "no_longer": list(self.no_longer),
            "newly": list(self.newly),
        }


@dataclass(slots=True)
class Comparison:
    """What both would do; `counts` are the messages of each route before and after."""

    messages: int = 0
    changes: list[Change] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)


class Comparing:
    """Sends messages by the old and by the new routes."""

    def __init__(self, old: Sequence[Route], new: Sequence[Route]) -> None:
        self._searches = RouteSearch(old), RouteSearch(new)
        names = [route.name for route in (*old, *new) if CREATED in route.on]
        self.found = Comparison(counts={name: [0, 0] for name in names})

    def add(self, facts: Facts) -> None:
        """Count one message."""
        before, after = (
            [route.name for route in search.running(facts, CREATED)] for search in self._searches
        )
        self.found.messages += 1
        for index, names in enumerate((before, after)):
            for name in names:
                self.found.counts[name][index] += 1
        no_longer = tuple(name for name in before if name not in after)
        newly = tuple(name for name in after if name not in before)
        if no_longer or newly:
            change = Change(facts.message, facts.mailbox, no_longer, newly)
            self.found.changes.append(change)


async def messages(
    source: From,
    roots: Iterable[Path],
    mailboxes: Sequence[str],
    period: tuple[datetime, datetime],
    bar: Bar,
) -> AsyncIterator[Source]:
    """The messages of a period, from archives or, through the bulk budget, from RingCentral."""
    begin, end = period
    if source == "archive":
        for one in archived_since(roots, mailboxes, begin, end):
            bar.advance(1)
            yield one
        return
    async with open_watched(mailboxes) as watched:
        owner = owner_of(watched.configuration)
        for mailbox in watched.mailboxes:
            bar.name(f"reading mailbox {mailbox}")
            store = watched.logins.of(mailbox).store.in_bulk()
            pages = walk(
                store, mailbox, begin, end, owner=owner, availability=("Alive",), told=bar.pause
            )
            async for page in pages:
                for message in page:
                    bar.advance(1)
                    yield Source(message, mailbox, store, is_file=False)


def other_steps(old: Iterable[Route], new: Iterable[Route]) -> list[tuple[str, str, str]]:
    """The routes of both that have other steps: name, steps before, steps after."""
    before = {route.name: route.steps for route in old}
    return [
        (route.name, ", ".join(before[route.name]), ", ".join(route.steps))
        for route in new
        if before.get(route.name, route.steps) != route.steps
    ]
