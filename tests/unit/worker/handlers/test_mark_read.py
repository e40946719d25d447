"""`mark-read`: in bulk, each message with its own outcome."""

import asyncio

from message_store.errors import PermissionMissing, RateLimited
from worker.handlers.conformance import ClosingConformance
from worker.handlers.conformance_cases import MAILBOX, SMS
from worker.handlers.conformance_fakes import FakeStore
from worker.handlers.contract import ClosingHandler, PermanentError, TransientError
from worker.handlers.mark_read import MarkRead


class TestConformance(ClosingConformance):
    """It passes the suite for closing handlers."""

    def make_handler(self) -> ClosingHandler:
        return MarkRead()


def test_each_error_keeps_its_meaning() -> None:
    """A missing permission is final, a limit is waited out as long as RingCentral says."""
    store = FakeStore(SMS)
    store.errors = {
        "1": PermissionMissing("may not change messages", status=403, code="CMN-408"),
        "2": RateLimited("slow down", retry_after=7),
    }
    results = asyncio.run(MarkRead().finish(MAILBOX, ["1", "2", "3"], store))
    assert isinstance(results["1"], PermanentError)
    assert "CMN-408" in str(results["1"])
    assert isinstance(results["2"], TransientError)
    assert results["2"].after == 7
    assert results["3"] == "marked read"
    assert store.changed == ["1", "2", "3"]
