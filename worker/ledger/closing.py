"""The ledger of closing steps: ids gathered per mailbox and step until they go out in bulk."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from message_store.mailbox import Mailbox

from .connection import Connection

# RingCentral takes at most this many ids in the body of one bulk update.
IDS_PER_CALL = 1000
PAIRS_PER_CLAIM = 20


@dataclass(frozen=True)
class ClosingWork:
    """One closing step of one mailbox with the messages it is due for."""

    mailbox: Mailbox
    step: str
    message_ids: list[str]


@dataclass(frozen=True)
class ClosingOutcome:
    """What became of one message: done with a few words, or failed for good with the reason."""

    ok: bool
    words: str


class ClosingLedger:
    """Gathered closing work."""

    def __init__(self, connection: Connection, lease_seconds: float) -> None:
        self._connection = connection
        self._lease_seconds = lease_seconds

    async def claim(self) -> list[ClosingWork]:
        """Take closing work that is due."""
        rows = await self._connection.run(
            "claim_closing", PAIRS_PER_CLAIM, IDS_PER_CALL, self._lease_seconds
        )
        return [ClosingWork(Mailbox.parse(mailbox), step, ids) for mailbox, step, ids in rows]

    async def finish(
        self,
        work: ClosingWork,
        outcomes: Mapping[str, ClosingOutcome],
        *,
        retry_in: float | None = None,
    ) -> None:
        """Record outcomes; ids without one are tried again."""
        body = orjson.dumps(dict(outcomes)).decode()
        await self._connection.run(
            "finish_closing",
            str(work.mailbox),
            work.step,
            "" if retry_in is None else retry_in,
            body,
        )
