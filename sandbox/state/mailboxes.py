"""One extension's messages, in the order they came and in the order they changed."""

from bisect import insort
from collections.abc import Iterator

from sandbox.state.messages import StoredMessage


class Mailbox:
    """The message store of one extension."""

    def __init__(self) -> None:
        self._messages: dict[int, StoredMessage] = {}
        self._by_time: list[tuple[float, int]] = []
        self._by_change: dict[int, StoredMessage] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: StoredMessage) -> None:
        """Store a message."""
        self._messages[message.id] = message
        insort(self._by_time, (message.created, message.id))
        self._by_change[message.id] = message

    def get(self, message_id: int) -> StoredMessage | None:
        """The message with this id, deleted and purged ones included."""
        return self._messages.get(message_id)

    def touch(self, message: StoredMessage, now: float) -> None:
        """Note that the message changed just now."""
        message.modified = now
        del self._by_change[message.id]
        self._by_change[message.id] = message

    def remove(self, message: StoredMessage) -> None:
        """Forget a message."""
        del self._messages[message.id]
        del self._by_change[message.id]
        self._by_time.remove((message.created, message.id))

    def newest_first(self) -> Iterator[StoredMessage]:
        """All messages, the youngest first."""
        for _, message_id in reversed(self._by_time):
            yield self._messages[message_id]

    def changed_since(self, moment: float) -> list[StoredMessage]:
        """What came or changed at `moment` or later, the latest change first."""
        changed = []
        for message in reversed(self._by_change.values()):
            if message.modified < moment:
                break
            changed.append(message)
        return changed
