"""The ledger of consents: which numbers have said STOP, and which START after it.

For each number the time of its last word of either kind, so that the order in which messages are
seen does not matter. A number counts for the whole account.
"""

import hashlib
from collections.abc import Iterable

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.consent_words import consent_of
from worker.numbers import e164

from .connection import Connection, key

_WORDS = {False: "stop", True: "start"}


class ConsentLedger:
    """What numbers have said of being texted."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def note(self, mailbox: Mailbox, messages: Iterable[Message]) -> None:
        """Note the words of consent among these messages."""
        said: dict[str, float] = {}
        for message in messages:
            consent, number = consent_of(message), message.from_ and message.from_.phone_number
            if consent is not None and number:
                member = _member(e164(number) or number, consent)
                said[member] = max(message.created.timestamp(), said.get(member, 0.0))
        if said:
            await self._redis.zadd(key("consents", mailbox.account_id), said, gt=True)

    async def may_text(self, account_id: str, number: str) -> bool:
        """Whether the number has not said STOP, or START since."""
        members = [_member(number, consent) for consent in (False, True)]
        stop, start = await self._redis.zmscore(key("consents", account_id), members)
        return stop is None or (start is not None and start > stop)


def _member(number: str, consent: bool) -> str:
    # keys and members show up in logs of Redis
    hashed = hashlib.sha256(number.encode(errors="replace")).hexdigest()[:32]
    return f"{hashed} {_WORDS[consent]}"
