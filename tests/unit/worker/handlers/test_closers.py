"""`mark-unread`, `restore` and `delete`: in bulk, each message with its own outcome."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from message_store.errors import NotFound, PermissionMissing
from worker.handlers.conformance import ClosingConformance
from worker.handlers.conformance_cases import MAILBOX, SMS, Case
from worker.handlers.conformance_fakes import FakeStore
from worker.handlers.contract import ClosingHandler, Later, PermanentError
from worker.handlers.delete import Delete
from worker.handlers.mark_unread import MarkUnread
from worker.handlers.restore import Restore


class TestMarkUnread(ClosingConformance):
    """It passes the suite for closing handlers."""

    def make_handler(self) -> ClosingHandler:
        return MarkUnread()


class TestRestore(ClosingConformance):
    """So does this, but for what is gone: that cannot be restored."""

    gone_is_done = False

    def make_handler(self) -> ClosingHandler:
        return Restore()


class TestDelete(ClosingConformance):
    """So does this; above all it purges nothing."""

    def make_handler(self) -> ClosingHandler:
        return Delete()


def finished(handler: ClosingHandler, store: FakeStore, *ids: str) -> dict[str, Any]:
    return dict(asyncio.run(handler.finish(MAILBOX, ids, store)))


def test_a_purged_message_cannot_be_restored() -> None:
    """That is a failure, for somebody wanted it back."""
    store = FakeStore(SMS)
    store.errors = {"2": NotFound("gone")}
    results = finished(Restore(), store, "1", "2")
    assert results["1"] == "restored"
    assert isinstance(results["2"], PermanentError)


def test_what_is_deleted_already_is_left_alone() -> None:
    """Only what is still there is deleted, and errors keep their meaning."""
    store = FakeStore(SMS)
    store.deleted = {"2"}
    store.errors = {"3": PermissionMissing("may not change messages", status=403)}
    results = finished(Delete(), store, "1", "2", "3")
    assert (results["1"], results["2"]) == ("deleted", "already deleted")
    assert isinstance(results["3"], PermanentError)
    assert (store.changed, store.purged) == (["1", "3"], set())


def test_only_what_was_read() -> None:
    """The rest is looked at again the next day."""
    handler = Delete.model_validate({"only_read": True, "after": "30d"})
    assert handler.delay == 30 * 86400
    unread = FakeStore(SMS)
    assert finished(handler, unread, "1") == {"1": Later("to be deleted when it is read", 86400)}
    assert unread.changed == []
    read = FakeStore(Case({**SMS.wire, "readStatus": "Read"}))
    assert finished(handler, read, "1") == {"1": "deleted"}


@pytest.mark.parametrize("after", ["soon", "0s", "-1d"])
def test_a_wrong_time(after: str) -> None:
    """It is refused with an example."""
    with pytest.raises(ValidationError, match=r"not a length of time|longer than nothing"):
        Delete.model_validate({"after": after})
