"""Each mailbox is asked of its own login, in bulk where it can wait."""

from types import SimpleNamespace
from typing import Any

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.every_store import EveryStore
from worker.logins import Logins

MAILBOX = Mailbox("1", "2")


class _Store:
    def __init__(self, subject: str) -> None:
        self._subject = subject

    def in_bulk(self) -> "_Store":
        return _Store("in bulk")

    async def get(self, _: Mailbox, message_id: str) -> Message:
        return Message.model_validate({"id": message_id, "subject": self._subject})


class _Assignments:
    def __init__(self) -> None:
        self.assigned: dict[Mailbox, str] = {}

    async def load(self) -> dict[Mailbox, str]:
        return dict(self.assigned)


def _logins(assignments: Any, *scopes: str) -> Logins:
    logins: Any = [SimpleNamespace(scope=scope, store=_Store(scope)) for scope in scopes]
    return Logins(logins, assignments)


async def test_bulk_work_leaves_a_share_of_the_limits() -> None:
    """What is asked in bulk goes through the store that leaves room to live work."""
    store = EveryStore(_logins(_Assignments(), "live"))

    assert (await store.get(MAILBOX, "1")).subject == "live"
    assert (await store.in_bulk().get(MAILBOX, "1")).subject == "in bulk"


async def test_a_mailbox_that_was_given_to_somebody_just_now() -> None:
    """It is asked of that login, though the worker has not yet read who looks after what."""
    assignments = _Assignments()
    store = EveryStore(_logins(assignments, "first", "second"))

    assignments.assigned[MAILBOX] = "second"

    assert (await store.get(MAILBOX, "1")).subject == "second"
