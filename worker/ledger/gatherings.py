"""The ledger of messages that go out together: who is in it, and what became of it.

Names are digests: they may have phone numbers in them, and keys show up in logs of Redis.
"""

import time
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

import orjson

from message_store.mailbox import Mailbox
from message_store.message import Message

from .connection import Connection, key
from .patience import patiently
from .records import Delivery
from .snapshots import Snapshots, read_snapshot

# A failed delivery that is replayed after so long is gathered anew.
_KEPT = timedelta(days=30)
# Once told what became of it, a delivery has only to be recorded as done.
_KEPT_WHEN_TOLD = timedelta(days=1)
SETBACK_SECONDS = 10.0


class Setback(NamedTuple):
    """Why a gathering could not go out, for good or for now; others try from `until` on."""

    until: float
    reason: str
    is_final: bool


class GatheringLedger:
    """Gatherings by name and time, each a hash of message ids and the words on what became of them.

    A message that has not gone out yet has no words. `id TAB what happened` stands for what went
    out with it.
    """

    def __init__(self, connection: Connection, snapshots: Snapshots) -> None:
        self._redis = connection.redis
        self._snapshots = snapshots

    async def join(self, name: str, due: int, effect: str, message_id: str) -> int:
        """Put a message into the gathering at `due` (epoch seconds), or the one it is in already.

        Says when that one is due. `effect` identifies the step of the message's delivery.
        """
        before = await self._redis.set(key("gathered", effect), due, nx=True, get=True, ex=_KEPT)
        due = due if before is None else int(before)
        async with self._redis.pipeline() as pipe:
            pipe.hsetnx(_key(name, due), message_id, "")
            pipe.expire(_key(name, due), _KEPT)
            await pipe.execute()
        return due

    async def outcome(self, name: str, due: int, effect: str, message_id: str) -> str | None:
        """The words on what became of a message, None if it has not gone out."""
        words = await self.words(name, due, message_id)
        if not words:
            return None
        await self._redis.expire(key("gathered", effect), _KEPT_WHEN_TOLD)
        return words

    async def due(self, effect: str) -> int | None:
        """When the gathering is due that this step of a message's delivery is in, if in any."""
        found = await self._redis.get(key("gathered", effect))
        return None if found is None else int(found)

    async def words(self, name: str, due: int, entry: str) -> str | None:
        """The words on what became of an entry; empty or None before it has gone out."""
        words: str | None = await self._redis.hget(_key(name, due), entry)
        return words

    async def waiting(self, name: str, due: int) -> list[str]:
        """The ids that have not gone out."""
        found = await self._redis.hgetall(_key(name, due))
        return [id_ for id_, words in found.items() if not words]

    async def record(self, name: str, due: int, entries: Collection[str], words: str) -> None:
        """These have gone out: messages by id, and what had happened to them as well."""
        told = dict.fromkeys(entries, words)
        await patiently(lambda: self._redis.hset(_key(name, due), mapping=told))

    async def set_back(self, name: str, due: int, reason: str, *, final: bool) -> None:
        """It could not go out: for a moment, others do not try as well."""
        setback = [time.time() + SETBACK_SECONDS, reason, final]
        text = orjson.dumps(setback).decode()
        await self._redis.set(_key(name, due) + ":setback", text, px=int(SETBACK_SECONDS * 1000))

    async def setback(self, name: str, due: int) -> Setback | None:
        """Why it could not go out a moment ago."""
        found = await self._redis.get(_key(name, due) + ":setback")
        return Setback(*orjson.loads(found)) if found else None

    async def messages(self, mailbox: Mailbox, lane: str, ids: Collection[str]) -> list[Message]:
        """Those of the messages whose copies are kept and can be read.

        They have the transcriptions that earlier steps of the lane have made.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.hmget(key("message", str(mailbox), id_), "message", f"d:{lane}")
            rows = await pipe.execute()
        found = [self._read(*row) for row in rows]
        return [message for message in found if message is not None]

    def _read(self, snapshot: str | None, delivery: str | None) -> Message | None:
        if snapshot is None:
            return None
        message = read_snapshot(self._snapshots.open(snapshot))
        added = None if delivery is None else Delivery.from_json(delivery).added
        if message is None or added is None:
            return message
        return message.model_copy(update={"transcription": self._snapshots.open_words(added)})


def _key(name: str, due: int) -> str:
    return key("gathering", name, str(due))
