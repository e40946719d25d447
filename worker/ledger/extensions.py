"""The numbers and names of extensions, as they were last listed."""

from collections.abc import Mapping

import orjson

from message_store.mailbox import Mailbox

from .connection import Connection, key


class ExtensionLedger:
    """What people call the extensions whose mailboxes are watched."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def save(self, names: Mapping[Mailbox, tuple[str | None, str | None]]) -> None:
        """Keep the number and the name of each."""
        if names:
            kept = {str(mailbox): orjson.dumps(both).decode() for mailbox, both in names.items()}
            await self._redis.hset(key("extensions"), mapping=kept)

    async def load(self) -> dict[Mailbox, tuple[str | None, str | None]]:
        """Number and name of each that is known."""
        found = await self._redis.hgetall(key("extensions"))
        return {
            Mailbox.parse(mailbox): (both[0], both[1])
            for mailbox, both in ((name, orjson.loads(text)) for name, text in found.items())
        }
