"""The ledger of closing steps: ids gathered per mailbox and step until they go out in bulk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import uuid4

import orjson

from message_store.mailbox import Mailbox

from .configurations import ConfigurationLedger
from .connection import Connection, key
from .patience import patiently
from .records import Delivery

# RingCentral takes at most this many ids in the body of one bulk update.
IDS_PER_CALL = 1000
PAIRS_PER_CLAIM = 20


@dataclass(frozen=True)
class ClosingWork:
    """One closing step of one mailbox with the messages it is due for, claimed under a token."""

    mailbox: Mailbox
    step: str
    message_ids: list[str]
    token: str


@dataclass(frozen=True)
class ClosingOutcome:
    """What became of one message: done with a few words, or failed for good with the reason."""

    ok: bool
    words: str


class ClosingLedger:
    """Gathered closing work."""

    def __init__(self, connection: Connection, lease_seconds: float) -> None:
        self._connection = connection
        self.configurations = ConfigurationLedger(connection)
        self._lease_seconds = lease_seconds

    async def claim(self) -> list[ClosingWork]:
        """Take closing work that is due."""
        token = uuid4().hex
        rows = await self._connection.run(
            "claim_closing", token, PAIRS_PER_CLAIM, IDS_PER_CALL, self._lease_seconds
        )
        return [
            ClosingWork(Mailbox.parse(mailbox), step, ids, token) for mailbox, step, ids in rows
        ]

    async def of_skipped(self, work: ClosingWork) -> set[str]:
        """Those of its messages for which another route was skipped: not all was done."""
        async with self._connection.redis.pipeline(transaction=False) as pipeline:
            for id_ in work.message_ids:
                pipeline.hgetall(key("message", str(work.mailbox), id_))
            found = await pipeline.execute()
        return {
            id_
            for id_, fields in zip(work.message_ids, found, strict=True)
            if any(
                Delivery.from_json(text).state == "skipped"
                for name, text in fields.items()
                if name.startswith("d:")
            )
        }

    async def renew(self, works: Collection[ClosingWork]) -> None:
        """Hold closing work for another lease."""
        for token in {work.token for work in works}:
            held = [
                part
                for work in works
                if work.token == token
                for part in (str(work.mailbox), work.step)
            ]
            await self._connection.run("renew_closing", self._lease_seconds, token, *held)

    async def finish(
        self,
        work: ClosingWork,
        outcomes: Mapping[str, ClosingOutcome],
        *,
        retry_in: float | None = None,
    ) -> None:
        """Record outcomes; ids without one are tried again."""
        body = orjson.dumps(dict(outcomes)).decode()
        wait = "" if retry_in is None else retry_in
        await patiently(
            lambda: self._connection.run(
                "finish_closing", str(work.mailbox), work.step, wait, body, work.token
            )
        )
