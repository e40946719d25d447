"""Carries out closing steps in bulk, once everything else of a message is done."""

import asyncio

import structlog

from message_store.errors import RingCentralError
from message_store.protocol import MessageStoreAccess

from .failures import is_transient, retry_after
from .handlers.contract import ClosingHandler, HandlerError, TransientError
from .ledger.closing import ClosingLedger, ClosingOutcome, ClosingWork
from .wording import in_brief

log = structlog.get_logger()

_RETRY_SECONDS = 60.0


class Closer:
    """Takes gathered closing work from the ledger and does it."""

    def __init__(
        self,
        ledger: ClosingLedger,
        handlers: dict[str, ClosingHandler],
        store: MessageStoreAccess,
    ) -> None:
        self._ledger = ledger
        self._handlers = handlers
        self._store = store

    async def work(self) -> None:
        """Do what is due."""
        async with asyncio.TaskGroup() as group:
            for work in await self._ledger.claim():
                group.create_task(self._close(work))

    async def _close(self, work: ClosingWork) -> None:
        handler = self._handlers.get(work.step)
        if handler is None:
            gone = ClosingOutcome(True, "skipped: the step is no longer in the configuration")
            await self._ledger.finish(work, dict.fromkeys(work.message_ids, gone))
            return
        try:
            results = await handler.finish(work.mailbox, work.message_ids, self._store)
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except Exception as error:  # noqa: BLE001
            await self._failed(work, error)
            return
        outcomes = {}
        wait = None
        for message_id, result in results.items():
            if isinstance(result, str):
                outcomes[message_id] = ClosingOutcome(True, in_brief(result))
            elif isinstance(result, TransientError):
                wait = max(wait or 0.0, result.after or _RETRY_SECONDS)
            else:
                outcomes[message_id] = ClosingOutcome(False, in_brief(result))
        log.info(
            "messages closed", mailbox=str(work.mailbox), step=work.step, messages=len(outcomes)
        )
        await self._ledger.finish(work, outcomes, retry_in=wait)

    async def _failed(self, work: ClosingWork, error: Exception) -> None:
        facts = {"mailbox": str(work.mailbox), "step": work.step, "messages": len(work.message_ids)}
        # Writes may be refused for hours in RingCentral's limited mode: what they say can wait.
        if is_transient(error):
            wait = retry_after(error) or _RETRY_SECONDS
            log.warning("closing waits", reason=str(error), retry_in=round(wait), **facts)
            await self._ledger.finish(work, {}, retry_in=wait)
            return
        if not isinstance(error, (HandlerError, RingCentralError)):
            log.error("closing failed", exc_info=error, **facts)
        failed = ClosingOutcome(False, in_brief(str(error) or type(error).__name__))
        await self._ledger.finish(work, dict.fromkeys(work.message_ids, failed))
