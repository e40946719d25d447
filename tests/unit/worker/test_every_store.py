"""Each mailbox is asked of its own login, in bulk where it can wait."""

from types import SimpleNamespace
from typing import Any

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.every_store import EveryStore

MAILBOX = Mailbox("1", "2")


class _Store:
    def __init__(self, subject: str) -> None:
        self._subject = subject

    def in_bulk(self) -> "_Store":
        return _Store("in bulk")

    async def get(self, _: Mailbox, message_id: str) -> Message:
        return Message.model_validate({"id": message_id, "subject": self._subject})


async def test_bulk_work_leaves_a_share_of_the_limits() -> None:
    """What is asked in bulk goes through the store that leaves room to live work."""
    logins: Any = SimpleNamespace(of=lambda _: SimpleNamespace(store=_Store("live")))
    store = EveryStore(logins)

    assert (await store.get(MAILBOX, "1")).subject == "live"
    assert (await store.in_bulk().get(MAILBOX, "1")).subject == "in bulk"
