"""Changes many messages by hand: marks, deletes, purges, restores; an outcome for each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from message_store.batch import MOST_IN_BODY, MOST_IN_PATH, MOST_READ, chunks
from message_store.client import MessageStore
from message_store.errors import (
    ConnectionFailed,
    LimitedMode,
    PermissionMissing,
    RingCentralError,
    ServerError,
)
from message_store.mailbox import Mailbox
from message_store.protocol import Outcomes
from ringpost.bars import Bar
from ringpost.mailbox_by_hand import Opened, in_words
from ringpost.selection import Chosen
from ringpost.waiting import patiently


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to messages, `most` in a call.

    `looks_first`: what is deleted already is left out, because deleting it again would purge it.
    """

    doing: str
    done: str
    most: int
    call: Callable[[MessageStore, Mailbox, Sequence[str]], Awaitable[Outcomes]]
    looks_first: bool = False


@dataclass(slots=True)
class Result:
    """What became of the messages of one mailbox; `left_out` are those deleted already."""

    done: list[str] = field(default_factory=list)
    left_out: dict[str, None] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def marking(read_status: str) -> Change:
    """Marks as `Read` or `Unread`."""
    return Change(
        "marking",
        "marked",
        MOST_IN_BODY,
        lambda store, mailbox, ids: store.set_read_status(mailbox, ids, read_status),
    )


def restoring() -> Change:
    """Takes deleted messages back."""
    return Change(
        "restoring",
        "restored",
        MOST_IN_BODY,
        lambda store, mailbox, ids: store.restore(mailbox, ids),
    )


def deleting() -> Change:
    """Deletes, so that messages can be restored for some days."""
    return Change(
        "deleting",
        "deleted",
        MOST_IN_PATH,
        lambda store, mailbox, ids: store.delete(mailbox, ids),
        looks_first=True,
    )


def purging() -> Change:
    """Deletes for good."""
    return Change(
        "purging",
        "purged",
        MOST_IN_PATH,
        lambda store, mailbox, ids: store.delete(mailbox, ids, purge=True),
    )


class Changing:
    """One run of a change; it knows how far it has come."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self._total = 0
        self.results: dict[Mailbox, Result] = {}

    @property
    def done(self) -> int:
        """How many messages have been changed."""
        return sum(len(result.done) for result in self.results.values())

    @property
    def problems(self) -> list[dict[str, str]]:
        """What went wrong, by message, in each mailbox."""
        return [result.problems for result in self.results.values()]

    def how_far(self) -> str:
        """What has been changed when it ended before its time; nothing if nothing has."""
        if not self.done:
            return ""
        return f"{self.change.done} so far: {self.done:,} of {self._total:,} messages"

    async def run(self, opened: Opened, chosen: Chosen, bar: Bar) -> None:
        """Change them, mailbox by mailbox; an error of a whole call ends what it cannot but end.

        It is raised if nothing was changed before it, else it is the outcome of what is left.
        """
        self._total = chosen.count
        left = dict(chosen.ids)
        bar.start_again(self._total)
        for mailbox, ids in chosen.ids.items():
            result = self.results[mailbox] = Result()
            bar.name(f"{self.change.doing} in mailbox {opened.titles[mailbox]}")
            try:
                for some in chunks(ids, self.change.most):
                    await self._apply(opened.store, mailbox, some, result, bar)
                    bar.advance(len(some))
            except RingCentralError as error:
                of_this_mailbox = isinstance(error, PermissionMissing) and len(chosen.ids) > 1
                if not (of_this_mailbox or self.done or result.problems):
                    raise
                self._give_up(left if not of_this_mailbox else {mailbox: ids}, error)
                if not of_this_mailbox:
                    return
            del left[mailbox]

    async def _apply(
        self, store: MessageStore, mailbox: Mailbox, ids: list[str], result: Result, bar: Bar
    ) -> None:
        sent: list[str] = []

        async def call() -> Outcomes:
            # After a pause it looks again: somebody else may have deleted some meanwhile.
            sent.clear()
            looks = self.change.looks_first
            sent.extend(await self._alive(store, mailbox, ids, result, bar) if looks else ids)
            return await self.change.call(store, mailbox, sent) if sent else {}

        try:
            outcomes = await patiently(call, bar.pause)
        except (ConnectionFailed, ServerError) as error:
            if not isinstance(error, LimitedMode):
                self._leave_open(sent, in_words(error), result)
            raise
        except asyncio.CancelledError:
            self._leave_open(sent, "stopped", result)
            raise
        for message_id, outcome in outcomes.items():
            if outcome is None:
                result.done.append(message_id)
            else:
                result.problems[message_id] = in_words(outcome)

    async def _alive(
        self, store: MessageStore, mailbox: Mailbox, ids: list[str], result: Result, bar: Bar
    ) -> list[str]:
        """Those that can be deleted without being purged; the others join the result."""
        alive = []
        for some in chunks(ids, MOST_READ):
            found = await patiently(partial(store.get_many, mailbox, some), bar.pause)
            for message_id, message in found.items():
                if isinstance(message, RingCentralError):
                    result.problems[message_id] = in_words(message)
                elif message.is_deleted:
                    result.left_out[message_id] = None
                else:
                    alive.append(message_id)
        return alive

    def _leave_open(self, ids: Sequence[str], why: str, result: Result) -> None:
        """Nobody knows what became of a call; a plain delete cannot be repeated to find out."""
        if self.change.looks_first:
            unknown = f"it may be {self.change.done} all the same ({why})"
            result.problems |= dict.fromkeys(ids, unknown)

    def _give_up(self, left: dict[Mailbox, list[str]], error: RingCentralError) -> None:
        for mailbox, ids in left.items():
            result = self.results.setdefault(mailbox, Result())
            known = {*result.done, *result.left_out, *result.problems}
            result.problems |= {one: in_words(error) for one in ids if one not in known}
