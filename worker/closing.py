"""Carries out closing steps in bulk, once everything else of a message is done."""

import structlog

from message_store.protocol import MessageStoreAccess
from metrics.catalogue import STEPS

from .failures import is_foreseen, is_our_end, judge, reason
from .handlers.contract import (
    ClosingHandler,
    ClosingOutcomes,
    HandlerError,
    Later,
    PermanentError,
    TransientError,
)
from .ledger.closing import ClosingLedger, ClosingOutcome, ClosingWork
from .ledger.configurations import step_named
from .ledger.postponed import PostponedLedger
from .started import StartedHandlers
from .together import all_of
from .wording import in_brief

log = structlog.get_logger()

# Writes may be refused for hours in RingCentral's limited mode: closing waits as long as it takes.
_RETRY_SECONDS = 60.0
_OTHERS_SECONDS = 5.0


class Closer:
    """Takes gathered closing work from the ledger and does it."""

    def __init__(
        self,
        ledger: ClosingLedger,
        postponed: PostponedLedger,
        handlers: StartedHandlers,
        store: MessageStoreAccess,
    ) -> None:
        self._ledger = ledger
        self._postponed = postponed
        self.handlers = handlers
        """What work that begins from now on is done with."""
        self._store = store
        self._working: list[ClosingWork] = []

    @property
    def working(self) -> list[ClosingWork]:
        """The work under way in this process."""
        return list(self._working)

    async def work(self) -> None:
        """Do what is due."""
        await all_of(self._close(work) for work in await self._ledger.claim())

    async def _close(self, work: ClosingWork) -> None:
        self._working.append(work)
        try:
            with self.handlers.in_use():
                await self._do(work)
        finally:
            self._working.remove(work)

    async def _do(self, work: ClosingWork) -> None:
        handler = self.handlers.closing().get(work.step)
        if handler is None and await self._ledger.configurations.is_known(step_named(work.step)):
            # Another worker goes by a newer file, or by an older one.
            await self._ledger.finish(work, {}, retry_in=_OTHERS_SECONDS)
            return
        if handler is None:
            gone = ClosingOutcome(True, "skipped: the step is no longer in the configuration")
            await self._ledger.finish(work, dict.fromkeys(work.message_ids, gone))
            return
        try:
            results = await self._results(handler, work)
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except BaseException as error:
            if is_our_end(error):
                raise
            await self._failed(work, error)
            return
        later = {id_: one.seconds for id_, one in results.items() if isinstance(one, Later)}
        # before the deliveries are done: a crash between repeats it, and nothing is forgotten
        await self._postponed.postpone(work.mailbox, work.step, later)
        outcomes = {}
        wait = None
        for message_id in work.message_ids:
            result = results.get(message_id, HandlerError("the handler said nothing of it"))
            if isinstance(result, TransientError):
                wait = max(wait or 0.0, result.after or _RETRY_SECONDS)
            else:
                done = not isinstance(result, HandlerError)
                words = result.words if isinstance(result, Later) else result
                outcomes[message_id] = ClosingOutcome(done, in_brief(words))
        done_well = sum(outcome.ok for outcome in outcomes.values())
        for name, count in (
            ("done", done_well),
            ("failed", len(outcomes) - done_well),
            ("put_off", len(work.message_ids) - len(outcomes)),
        ):
            if count:
                STEPS.count(work.step, name, by=count)
        log.info(
            "messages closed", mailbox=str(work.mailbox), step=work.step, messages=len(outcomes)
        )
        await self._ledger.finish(work, outcomes, retry_in=wait)

    async def _results(self, handler: ClosingHandler, work: ClosingWork) -> ClosingOutcomes:
        """What the handler makes of it; of what is to happen later it is not asked yet."""
        ids, kept_back = work.message_ids, set[str]()
        if handler.needs_archive:
            kept_back = await self._ledger.of_skipped(work)
            ids = [id_ for id_ in ids if id_ not in kept_back]
        if handler.delay:
            days = handler.delay / 86400
            postponed = Later(f"comes {days:g} day{'s'[: days != 1]} later", handler.delay)
            results: ClosingOutcomes = dict.fromkeys(ids, postponed)
        else:
            results = await handler.finish(work.mailbox, ids, self._store) if ids else {}
        skipped = PermanentError("another route of it was skipped: it may not be archived")
        return {**results, **dict.fromkeys(kept_back, skipped)}

    async def _failed(self, work: ClosingWork, error: BaseException) -> None:
        facts = {
            "mailbox": str(work.mailbox),
            "step": work.step,
            "messages": len(work.message_ids),
            "reason": reason(error),
        }
        verdict = judge(error, age=0.0, attempts=0, schedule=(0.0,))
        if verdict.wait is not None:
            wait = verdict.wait or _RETRY_SECONDS
            STEPS.count(work.step, "put_off", by=len(work.message_ids))
            log.warning("closing waits", retry_in=round(wait), **facts)
            await self._ledger.finish(work, {}, retry_in=wait)
            return
        log.error("closing failed", exc_info=None if is_foreseen(error) else error, **facts)
        STEPS.count(work.step, "failed", by=len(work.message_ids))
        failed = ClosingOutcome(False, reason(error))
        await self._ledger.finish(work, dict.fromkeys(work.message_ids, failed))
