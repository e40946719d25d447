"""The tasks, thin: each is a hint that names mailboxes at most, never messages."""

from collections.abc import Coroutine
from typing import Any

import structlog
from celery.exceptions import Reject

from .bridge import InterruptedWork
from .celery import app, running
from .ledger import LedgerError

log = structlog.get_logger()

# Seconds; all far below the half of the broker's visibility timeout.
SYNC_DEADLINE = 300.0
DELIVER_DEADLINE = 300.0
CLOSE_DEADLINE = 120.0
HEAL_DEADLINE = 120.0


@app.task(name="worker.sync", shared=False)
def sync(mailboxes: list[str]) -> None:
    """Synchronise these mailboxes (`account/extension`, or `*` for all)."""
    _run(running()[1].sync(mailboxes), SYNC_DEADLINE)


@app.task(name="worker.look", shared=False)
def look(mailboxes: list[str]) -> None:
    """Synchronise these mailboxes: their time has come, hinted at or not."""
    _run(running()[1].look(mailboxes), SYNC_DEADLINE)


@app.task(name="worker.deliver", shared=False)
def deliver() -> None:
    """Deliver what is due."""
    _run(running()[1].deliver(), DELIVER_DEADLINE)


@app.task(name="worker.close", shared=False)
def close() -> None:
    """Carry out the closing steps that are due."""
    _run(running()[1].close(), CLOSE_DEADLINE)


@app.task(name="worker.heal", shared=False)
def heal() -> None:
    """Find the mailboxes and mend the subscription, if it is time to."""
    _run(running()[1].heal(), HEAL_DEADLINE)


def _run(work: Coroutine[Any, Any, None], deadline: float) -> None:
    try:
        running()[0].run(work, deadline)
    except InterruptedWork:
        raise Reject("the worker stops", requeue=True) from None
    except LedgerError as error:
        # Whatever was under way is in the ledger and is due again when it is back.
        log.error("ledger is away", reason=str(error))
    except Exception as error:
        # Celery would log its words, and they may quote a message.
        log.error("task failed", exc_info=error)
