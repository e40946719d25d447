"""Snapshots of messages as they stand in Redis: sealed if there is a key, but for a few facts."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from message_store.message import Message
from worker.encryption import Sealer

_IN_THE_CLEAR = ("id", "type", "creationTime")


class About(NamedTuple):
    """What can be told of a message without a key."""

    type: str | None
    created: datetime | None


class Snapshots:
    """Seals what goes into the ledger and opens what comes out of it.

    A sealed snapshot is JSON with the message's id, type and creation time, and in `sealed` the
    whole of it. What was written while there was no key is the message itself.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, snapshot: str) -> str:
        """The snapshot (JSON as RingCentral spells it) as it may stand in Redis."""
        if not self._sealer.seals:
            return snapshot
        message = _object(snapshot)
        told = {name: message[name] for name in _IN_THE_CLEAR if name in message}
        return orjson.dumps(told | {"sealed": self._sealer.seal(snapshot)}).decode()

    def open(self, text: str) -> str | None:
        """The snapshot again; None if the key that it was sealed with is not among ours."""
        if '"sealed"' not in text:
            return text
        sealed = _object(text).get("sealed")
        return self._sealer.open(sealed) if isinstance(sealed, str) else text


def about(text: str) -> About:
    """What a snapshot tells, sealed or not; nothing if it cannot be read."""
    message = _object(text)
    type_, created = message.get("type"), None
    with contextlib.suppress(KeyError, TypeError, ValueError):
        created = datetime.fromisoformat(message["creationTime"])
    if created is not None and created.tzinfo is None:
        created = created.replace(tzinfo=UTC)
    return About(type_ if isinstance(type_, str) else None, created)


def read_snapshot(snapshot: str | None) -> Message | None:
    """The message of an opened snapshot; None if it cannot be read (any more)."""
    try:
        return None if snapshot is None else Message.model_validate_json(snapshot)
    except ValidationError:
        return None


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
