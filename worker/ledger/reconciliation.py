"""The ledger's side of completeness: what it knows of messages, and what the last look found."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import BaseModel

from message_store.mailbox import Mailbox

from .connection import Connection, key

_BATCH = 500


class Memory(NamedTuple):
    """What a mailbox's ledger reaches back to, in epoch seconds.

    `began`: from when on messages are delivered; `floor`: from when on it remembers every one.
    """

    began: float
    floor: float


class Known(NamedTuple):
    """What is known of one message.

    `seen` is when it was created (epoch seconds; of a missed one when that was found out), None if
    it is not remembered. `states` are those of deliveries that are not done, by lane.
    """

    id: str
    seen: float | None
    print: str
    missed: bool
    states: dict[str, str]


class Turn(NamedTuple):
    """When a look by itself was last, and when to look again before its time, if it failed."""

    at: datetime
    again: datetime | None


class MailboxDifferences(BaseModel):
    """How many messages of a mailbox are not where they should be."""

    missing: int = 0
    failed: int = 0
    extra: int = 0
    repaired: int = 0
    problem: str | None = None


class LastReconciliation(BaseModel):
    """What the last look found; `problem` is why it could not be finished, None if it was."""

    at: datetime
    since: datetime
    until: datetime
    listed: int = 0
    calls: int = 0
    mailboxes: dict[str, MailboxDifferences] = {}
    problem: str | None = None

    @property
    def missing(self) -> int:
        """Messages that RingCentral lists and we have not."""
        return sum(one.missing for one in self.mailboxes.values())

    @property
    def failed(self) -> int:
        """Messages of which a delivery was given up."""
        return sum(one.failed for one in self.mailboxes.values())

    @property
    def extra(self) -> int:
        """Messages that we have and RingCentral does not list any more."""
        return sum(one.extra for one in self.mailboxes.values())

    @property
    def repaired(self) -> int:
        """Messages that were made due again."""
        return sum(one.repaired for one in self.mailboxes.values())

    @property
    def unread(self) -> list[str]:
        """Mailboxes that could not be looked at."""
        return [name for name, one in self.mailboxes.items() if one.problem]


class ReconciliationLedger:
    """Reads what is to be compared; keeps what was found."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._redis = connection.redis

    async def memory(self, mailbox: Mailbox) -> Memory:
        """How far back the ledger reaches."""
        told = await self._redis.hmget(key("mailbox", str(mailbox)), ["began", "floor"])
        floor = float(told[1] or 0)
        if told[0] is None:
            # A ledger of an older version kept only when the very first start was.
            return Memory(min(floor, float(await self._redis.get(key("start")) or floor)), floor)
        return Memory(float(told[0]), floor)

    async def seen(self, mailbox: Mailbox, since: datetime, until: datetime) -> list[str]:
        """The ids of messages created in this period (`until` excluded) that are remembered."""
        found: list[str] = []
        while True:
            batch = await self._redis.zrangebyscore(
                key("seen", str(mailbox)),
                since.timestamp(),
                f"({until.timestamp()}",
                start=len(found),
                num=_BATCH,
            )
            found += batch
            if len(batch) < _BATCH:
                return found

    async def known(self, mailbox: Mailbox, ids: Iterable[str]) -> list[Known]:
        """What is known of these messages, some hundreds at a time."""
        asked = list(ids)
        found: list[Known] = []
        for start in range(0, len(asked), _BATCH):
            some = asked[start : start + _BATCH]
            rows = await self._connection.run("message_states", str(mailbox), *some)
            found += [_known(id_, row) for id_, row in zip(some, rows, strict=True)]
        return found

    async def last(self) -> LastReconciliation | None:
        """What the last look found; None before the first."""
        text = await self._redis.get(key("reconciliation"))
        return LastReconciliation.model_validate_json(text) if text else None

    async def save(self, found: LastReconciliation) -> None:
        """Keep what was found."""
        await self._redis.set(key("reconciliation"), found.model_dump_json())

    async def turn(self, now: datetime) -> Turn:
        """The last turn; the first time it is asked for, that is now."""
        await self._redis.hsetnx(key("reconciliation-turn"), "at", now.timestamp())
        at, again = await self._redis.hmget(key("reconciliation-turn"), ["at", "again"])
        return Turn(_moment(at), _moment(again) if again else None)

    async def take_turn(self, now: datetime, again: datetime | None) -> None:
        """This turn is over; `again` is when to try once more what it could not do."""
        turn = {"at": now.timestamp(), "again": again.timestamp() if again else ""}
        await self._redis.hset(key("reconciliation-turn"), mapping=turn)


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _known(id_: str, row: Sequence[str]) -> Known:
    seen, print_, missed, *states = row
    lanes = dict(zip(states[::2], states[1::2], strict=True))
    return Known(id_, float(seen) if seen else None, print_, bool(missed), lanes)
