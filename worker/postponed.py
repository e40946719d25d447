"""Carries out closing steps whose time comes long after everything else of a message is done."""

from collections.abc import Sequence

import structlog

from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess

from .failures import is_foreseen, is_our_end, judge, reason
from .handlers.contract import HandlerError, Later, TransientError
from .ledger.configurations import step_named
from .ledger.postponed import PostponedLedger
from .started import StartedHandlers

log = structlog.get_logger()

_HOUR, _DAY = 3600.0, 86400.0


class PostponedCloser:
    """Looks at postponed messages when their time has come."""

    def __init__(
        self,
        ledger: PostponedLedger,
        handlers: StartedHandlers,
        store: MessageStoreAccess,
    ) -> None:
        self._ledger = ledger
        self.handlers = handlers
        """What work that begins from now on is done with."""
        self._store = store

    async def work(self) -> None:
        """Do what is due, a bounded number of messages at a time."""
        for (mailbox, step), ids in (await self._ledger.claim()).items():
            with self.handlers.in_use():
                await self._close(mailbox, step, ids)

    async def _close(self, mailbox: Mailbox, step: str, ids: Sequence[str]) -> None:
        facts = {"mailbox": str(mailbox), "step": step, "messages": len(ids)}
        handler = self.handlers.closing().get(step)
        if handler is None and await self._ledger.configurations.is_known(step_named(step)):
            return  # another worker goes by another file; they come back
        if handler is None:
            log.warning("postponed messages left alone: the step is gone", **facts)
            await self._ledger.drop(mailbox, step, ids)
            return
        try:
            results = await handler.finish(mailbox, ids, self._store)
        # A handler is foreign code, and an administrator may mend what RingCentral refuses: the
        # messages are looked at again in any case.
        except BaseException as error:
            if is_our_end(error):
                raise
            verdict = judge(error, age=0.0, attempts=0, schedule=(_HOUR,))
            wait = _DAY if verdict.wait is None else verdict.wait
            unforeseen = None if is_foreseen(error) else error
            log.warning("closing waits", reason=reason(error), exc_info=unforeseen, **facts)
            await self._ledger.postpone(mailbox, step, dict.fromkeys(ids, wait))
            return
        waits = {id_: _wait(results.get(id_, _NOTHING_SAID)) for id_ in ids}
        again = {id_: seconds for id_, seconds in waits.items() if seconds is not None}
        refused = [result for result in results.values() if isinstance(result, HandlerError)]
        if refused:
            words = reason(refused[0])
            log.warning("messages not closed yet", refused=len(refused), reason=words, **facts)
        await self._ledger.postpone(mailbox, step, again)
        await self._ledger.drop(mailbox, step, [id_ for id_ in ids if id_ not in again])
        log.info("messages closed", **{**facts, "messages": len(ids) - len(again)})


_NOTHING_SAID = HandlerError("the handler said nothing of it")


def _wait(result: str | HandlerError | Later) -> float | None:
    """Seconds until the next look; None when it is done."""
    if isinstance(result, Later):
        return result.seconds
    if isinstance(result, TransientError):
        return max(result.after or 0.0, _HOUR)
    return _DAY if isinstance(result, HandlerError) else None
