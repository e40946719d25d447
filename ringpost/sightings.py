"""What a watch has seen of a mailbox, so that it can say what is new or changed. Pure."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from message_store.message import Message

# Beyond it the oldest are forgotten: their changes are told without what was before.
_MOST = 2_000
_WATCHED = {
    "readStatus": "read_status",
    "messageStatus": "message_status",
    "availability": "availability",
    "vmTranscriptionStatus": "vm_transcription_status",
}


@dataclass(frozen=True, slots=True)
class News:
    """A message that came or changed; `was` has the former values of what changed, if known."""

    kind: Literal["new", "changed", "deleted"]
    message: Message
    was: dict[str, str | None] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, tuple[str | None, str | None]]:
        """Before and after of what changed, by RingCentral's names."""
        return {name: (before, _value(self.message, name)) for name, before in self.was.items()}


class Sightings:
    """The messages seen so far; those created from `since` on are new when first seen."""

    def __init__(self, since: datetime) -> None:
        self._since = since
        self._seen: OrderedDict[str, Message] = OrderedDict()

    def know(self, messages: Iterable[Message]) -> None:
        """These are there already: they are no news."""
        for message in messages:
            self._keep(message)

    def see(self, record: Message) -> News | None:
        """What a record of a synchronisation says that was not known; it often repeats itself."""
        before = self._seen.get(record.id)
        message = record
        if before is not None and record.creation_time is None:
            # Of a deleted message RingCentral gives the id and the availability alone.
            message = before.model_copy(update={"availability": record.availability})
        self._keep(message)
        if before is None:
            fresh = message.creation_time is not None and message.created >= self._since
            return News(_kind(message, "new" if fresh else "changed"), message)
        was = {
            name: _value(before, name)
            for name in _WATCHED
            if _value(before, name) != _value(message, name)
        }
        if not was:
            return None
        return News(_kind(message, "changed"), message, was)

    def _keep(self, message: Message) -> None:
        self._seen[message.id] = message
        self._seen.move_to_end(message.id)
        if len(self._seen) > _MOST:
            self._seen.popitem(last=False)


def _kind(
    message: Message, otherwise: Literal["new", "changed"]
) -> Literal["new", "changed", "deleted"]:
    return "deleted" if message.is_deleted else otherwise


def _value(message: Message, name: str) -> str | None:
    value = getattr(message, _WATCHED[name])
    return value if isinstance(value, str) else None
