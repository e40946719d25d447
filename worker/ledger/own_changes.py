"""The ledger of our own changes: what we do to messages, noted before it is done.

RingCentral tells of our read marks and deletions as of anybody's. The sync that sees one takes the
note away; what is done by somebody else after it counts.
"""

from collections.abc import Collection, Sequence

from message_store.mailbox import Mailbox

from .connection import Connection, key

# A sync that began so much later than a change of ours, and does not tell of it, never will.
OWN_CHANGE_SECONDS = 3600


class OwnChangesLedger:
    """Changes of ours that no sync has seen yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._redis = connection.redis

    async def note(self, mailbox: Mailbox, on: str, ids: Collection[str]) -> None:
        """We are about to make this happen to these messages."""
        if ids:
            await self._connection.run("note_own_changes", str(mailbox), on, *ids)

    async def withdraw(self, mailbox: Mailbox, on: str, ids: Collection[str]) -> None:
        """It did not happen to these."""
        if ids:
            await self._redis.zrem(key("own", str(mailbox)), *_members(on, ids))

    async def among(self, mailbox: Mailbox, on: str, ids: Sequence[str]) -> set[str]:
        """Those of the messages to which we are making this happen."""
        if not ids:
            return set()
        scores = await self._redis.zmscore(key("own", str(mailbox)), _members(on, ids))
        return {id_ for id_, score in zip(ids, scores, strict=True) if score is not None}


def _members(on: str, ids: Collection[str]) -> list[str]:
    return [f"{id_}\t{on}" for id_ in ids]
