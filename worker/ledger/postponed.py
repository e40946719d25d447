"""The ledger of postponed closing steps: ids of messages, each with the time it is looked at.

Of the message nothing else is kept: its deliveries are done.
"""

from collections.abc import Collection, Mapping

from message_store.mailbox import Mailbox

from .configurations import ConfigurationLedger
from .connection import Connection, key
from .patience import patiently

# One look costs a call for each 20 ids and a call for each 50; live work goes on beside it.
IDS_PER_CLAIM = 100
_BACK_AFTER_SECONDS = 900.0


class PostponedLedger:
    """Messages that a closing step is to look at later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.configurations = ConfigurationLedger(connection)
        self._redis = connection.redis

    async def postpone(self, mailbox: Mailbox, step: str, seconds: Mapping[str, float]) -> None:
        """Keep these ids, each for so many seconds from now."""
        pairs = [part for pair in seconds.items() for part in pair]
        if pairs:
            await patiently(lambda: self._connection.run("postpone", str(mailbox), step, *pairs))

    async def claim(self) -> dict[tuple[Mailbox, str], list[str]]:
        """The ids whose time has come, by mailbox and step.

        They come back in a quarter of an hour unless they are dropped or postponed again.
        """
        found: dict[tuple[Mailbox, str], list[str]] = {}
        rows = await self._connection.run("claim_postponed", IDS_PER_CLAIM, _BACK_AFTER_SECONDS)
        for member in rows:
            mailbox, step, id_ = member.split("\t")
            found.setdefault((Mailbox.parse(mailbox), step), []).append(id_)
        return found

    async def drop(self, mailbox: Mailbox, step: str, ids: Collection[str]) -> None:
        """Forget these ids."""
        if ids:
            members = [f"{mailbox}\t{step}\t{id_}" for id_ in ids]
            await patiently(lambda: self._redis.zrem(key("postponed"), *members))
