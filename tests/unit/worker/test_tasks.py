"""What a task makes of the errors of its work."""

from collections.abc import Coroutine
from typing import Any

import pytest
from celery.exceptions import Reject
from structlog.testing import capture_logs

from worker import tasks
from worker.bridge import InterruptedWork
from worker.ledger import LedgerError


class Bridge:
    """A bridge to a loop on which all work ends with this error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, work: Coroutine[Any, Any, None], _deadline: float) -> None:
        work.close()
        raise self._error


async def _work() -> None:
    """Never begun."""


@pytest.mark.parametrize("error", [ValueError("Meet me at noon"), TimeoutError(), LedgerError()])
def test_no_error_reaches_celery(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Celery would log its words; we say that it failed, and the work is still due."""
    monkeypatch.setattr(tasks, "running", lambda: (Bridge(error), None))
    with capture_logs() as logs:
        tasks._run(_work(), 1.0)
    [line] = logs
    assert line["log_level"] == "error"
    assert "noon" not in line["event"]


def test_a_stop_puts_the_task_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker takes it up."""
    monkeypatch.setattr(tasks, "running", lambda: (Bridge(InterruptedWork()), None))
    with pytest.raises(Reject) as caught:
        tasks._run(_work(), 1.0)
    assert caught.value.requeue
