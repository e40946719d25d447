"""The ledger of backfills: what was asked for, and how far it has come in each mailbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel

from message_store.mailbox import Mailbox
from worker.completeness.listing import Place

from .connection import Connection, LedgerError, key
from .deliveries import DeliveryLedger
from .records import Admitted

State = Literal["running", "stopped", "done"]


class Asked(BaseModel):
    """A backfill in the words of whoever asked for it; the same words go on with the same one."""

    since: str
    until: str | None = None
    mailboxes: list[str] = []
    routes: list[str] = []


class Backfill(BaseModel):
    """Messages created in `since <= created < until`, which is by mailbox, on these routes."""

    id: str
    asked: Asked
    since: datetime
    until: dict[str, datetime]
    routes: list[str]
    made: datetime


class Progress(BaseModel):
    """How far a backfill has come in one mailbox, from the newest message to the oldest.

    `reached` is the creation time it has come down to, `place` where it goes on. `admitted` of the
    messages `looked_at` were made due.
    """

    reached: datetime
    place: Place | None = None
    looked_at: int = 0
    admitted: int = 0
    done: bool = False


class Run(BaseModel):
    """A backfill with how far it has come; `problems` are of mailboxes in which it halts.

    `halted` says why it halts altogether, although it is running.
    """

    backfill: Backfill
    state: State
    progress: dict[str, Progress] = {}
    problems: dict[str, str] = {}
    halted: str | None = None

    @property
    def looked_at(self) -> int:
        """How many messages it has come past."""
        return sum(one.looked_at for one in self.progress.values())

    @property
    def admitted(self) -> int:
        """How many messages it has made due."""
        return sum(one.admitted for one in self.progress.values())

    @property
    def fraction(self) -> float:
        """How much of the time of all mailboxes it has gone through, from 0 to 1."""
        whole = gone = 0.0
        for name, until in self.backfill.until.items():
            span = max(0.0, (until - self.backfill.since).total_seconds())
            whole += span
            if (one := self.progress.get(name)) is not None:
                gone += span if one.done else (until - one.reached).total_seconds()
        return min(1.0, gone / whole) if whole else 1.0

    @property
    def left(self) -> list[str]:
        """The mailboxes that it is not through with."""
        return [
            name
            for name in self.backfill.until
            if name not in self.progress or not self.progress[name].done
        ]

    def has_covered(self, mailbox: str, route: str, id_: str, created: datetime) -> bool:
        """Whether it has made this message due on this route, if the route was for it."""
        done, until = self.progress.get(mailbox), self.backfill.until.get(mailbox)
        if done is None or until is None or route not in self.backfill.routes:
            return False
        if done.done:
            return self.backfill.since <= created < until
        known = done.place.known if done.place else ()
        return done.reached < created < until or id_ in known


class OtherBackfillError(Exception):
    """Another backfill is under way: the one given."""

    def __init__(self, run: Run) -> None:
        super().__init__("another backfill is under way")
        self.run = run


class BackfillLedger:
    """At most one backfill is under way; what those before it covered is remembered."""

    def __init__(self, connection: Connection, deliveries: DeliveryLedger) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._deliveries = deliveries

    async def begin(self, backfill: Backfill) -> Run:
        """Begin it, or go on with the one that was asked for in the same words.

        Raises OtherBackfillError while another one is running; a stopped one is given up.
        """
        body = backfill.model_dump_json()
        asked = backfill.asked.model_dump_json()
        await self._connection.run("begin_backfill", backfill.id, asked, body)
        run = await self.current()
        if run is None or run.backfill.asked != backfill.asked:
            raise OtherBackfillError(run) if run else LedgerError("the backfill is gone")
        return run

    async def stop(self) -> bool:
        """Halt the one that is running; False if none is."""
        return bool(await self._connection.run("end_backfill", "stopped"))

    async def finish(self, id_: str) -> None:
        """Say that this one is through, if it still runs."""
        await self._connection.run("end_backfill", "done", id_)

    async def is_running(self) -> bool:
        """Whether one is under way; asked often, so it costs little."""
        return bool(await self._redis.hget(key("backfill"), "state") == "running")

    async def advance(
        self,
        run: Run,
        mailbox: Mailbox,
        messages: Sequence[Admitted],
        before: Progress | None,
        after: Progress,
    ) -> bool:
        """Make these messages due, and note in the same step how far it has come.

        False, and nothing is done, if it was stopped or somebody else went on from `before`.
        """
        done = await self._connection.run(
            "admit_page",
            str(mailbox),
            self._deliveries.as_text(messages),
            run.backfill.id,
            before.model_dump_json() if before else "",
            after.model_dump_json(),
        )
        return int(done) >= 0

    async def open_deliveries(self) -> int:
        """How many deliveries behind live work are due or running, or wait for a destination.

        Live ones that wait for a destination that fails altogether are counted as well.
        """
        mailboxes = await self._redis.zrange(key("bulk-ready"), 0, -1)
        failing = await self._redis.hkeys(key("breakers"))
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.scard(key("bulk-running"))
            for mailbox in mailboxes:
                pipe.zcard(key("bulk-due", mailbox))
            for step in failing:
                pipe.zcard(key("put-off", step))
            return sum(await pipe.execute())

    async def current(self) -> Run | None:
        """The last one that was begun, whatever its state."""
        async with self._redis.pipeline() as pipe:
            pipe.hgetall(key("backfill"))
            pipe.hgetall(key("backfill-progress"))
            pipe.hgetall(key("backfill-problems"))
            facts, progress, problems = await pipe.execute()
        if not facts:
            return None
        return Run(
            backfill=Backfill.model_validate_json(facts["body"]),
            state=facts["state"],
            progress={name: Progress.model_validate_json(text) for name, text in progress.items()},
            problems=problems,
            halted=facts.get("halted"),
        )

    async def before(self) -> list[Run]:
        """Those before it."""
        rows = await self._redis.lrange(key("backfills-before"), 0, -1)
        return [_before(row) for row in rows]

    async def all(self) -> list[Run]:
        """Those before and the last one."""
        last = await self.current()
        return [*await self.before(), *([last] if last else [])]

    async def set_problem(self, mailbox: Mailbox, words: str | None) -> None:
        """Say why it halts in a mailbox, or that it does not any more."""
        if words is None:
            await self._redis.hdel(key("backfill-problems"), str(mailbox))
        else:
            await self._redis.hset(key("backfill-problems"), str(mailbox), words)

    async def set_halted(self, words: str | None) -> None:
        """Say why it halts altogether, or that it does not any more."""
        if words is None:
            await self._redis.hdel(key("backfill"), "halted")
        else:
            await self._redis.hset(key("backfill"), "halted", words)


def _before(text: str) -> Run:
    row = orjson.loads(text)
    return Run(
        backfill=Backfill.model_validate_json(row["body"]),
        state=row["state"],
        progress={
            name: Progress.model_validate_json(progress)
            for name, progress in row["progress"].items()
        },
    )
