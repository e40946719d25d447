"""Carries out the backfill that is registered: page by page, behind live work.

A leased coroutine in every worker. Where it is stands in the ledger and changes in one step with
the page it admits, so that it goes on exactly there after any kill, and two never do the same page.
"""

import asyncio
import time

import structlog

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.admitting import admitted
from worker.completeness.listing import Place, look
from worker.completeness.reconciling import StoreOf, owner_of
from worker.configuration import Configuration
from worker.happenings import CREATED
from worker.ledger import Ledger, LedgerError
from worker.ledger.backfills import Progress, Run
from worker.ledger.records import Admitted, Delivery
from worker.problems import quoted
from worker.surroundings import Surroundings
from worker.wording import in_brief

from .choosing import Choice, routes_for
from .plan import PER_PAGE

log = structlog.get_logger()

MOST_OPEN = 2000
"""While so many deliveries are open, no more messages are admitted, so that Redis does not fill."""

_TICK, _IDLE = 0.2, 2.0
_LEASE_SECONDS = 15.0
_AGAIN_SECONDS = 300.0


class Filler:
    """Goes on with the backfill whenever there is one and there is room for its messages."""

    def __init__(self, ledger: Ledger, store_of: StoreOf, configuration: Configuration) -> None:
        self._ledger = ledger
        self._store_of = store_of
        self._routes = configuration.routes
        self._names = {route.name for route in routes_for(self._routes, ())}
        self._surroundings = Surroundings(ledger.extensions, configuration.routes)
        self._owner = owner_of(configuration)
        self._lease = ledger.lease("backfill", _LEASE_SECONDS)
        self._halted: dict[str, float] = {}

    async def run(self) -> None:
        """Fill until cancelled; another worker goes on within seconds."""
        while True:
            try:
                if await self._ledger.backfills.is_running():
                    await self._fill()
            except LedgerError as error:
                log.debug("backfill waits for the ledger", reason=str(error))
            # A coroutine that ends would leave the backfill where it is without a word.
            except Exception as error:
                log.error("backfill failed", exc_info=error)
            await asyncio.sleep(_IDLE)

    async def _fill(self) -> None:
        """Admit pages as long as that may be done; one process of the fleet does it."""
        async with self._lease.while_held() as held:
            while held and await self._turn():  # noqa: ASYNC110  # the work is in the turn
                await asyncio.sleep(_TICK)

    async def _turn(self) -> bool:
        """Admit one page if that may be done now; whether something was done."""
        if await self._ledger.backfills.open_deliveries() >= MOST_OPEN:
            return False
        run = await self._ledger.backfills.current()
        if run is None or run.state != "running":
            return False
        if not run.left:
            await self._ledger.backfills.finish(run.backfill.id)
            log.info("backfill has come to its end", messages=run.admitted)
            return False
        if await self._halts(run):
            return False
        now = time.monotonic()
        ready = [name for name in run.left if self._halted.get(name, 0) <= now]
        return bool(ready) and await self._go_on(run, Mailbox.parse(ready[0]))

    async def _halts(self, run: Run) -> bool:
        """Whether a route of it is gone: going on, it would pass over what that has yet to get."""
        gone = [name for name in run.backfill.routes if name not in self._names]
        words = _about_gone(gone) if gone else None
        if words != run.halted:
            await self._ledger.backfills.set_halted(words)
            if words:
                log.warning("backfill halts", reason=words)
        return bool(gone)

    async def _go_on(self, run: Run, mailbox: Mailbox) -> bool:
        name = str(mailbox)
        try:
            went_on = await self._page(run, mailbox)
        except RingCentralError as error:
            self._halted[name] = time.monotonic() + (error.retry_after or _AGAIN_SECONDS)
            await self._ledger.backfills.set_problem(mailbox, in_brief(error))
            log.warning("backfill halts in a mailbox", mailbox=name, reason=in_brief(error))
            return False
        if name in run.problems:
            await self._ledger.backfills.set_problem(mailbox, None)
        return went_on

    async def _page(self, run: Run, mailbox: Mailbox) -> bool:
        backfill = run.backfill
        before = run.progress.get(str(mailbox))
        start = Place(until=backfill.until[str(mailbox)])
        place = before.place if before and before.place else start
        records, next_ = await look(
            self._store_of(mailbox).in_bulk(),
            mailbox,
            place,
            backfill.since,
            owner=self._owner,
            availability=("Alive",),
            per_page=PER_PAGE,
        )
        reached = before.reached if before else start.until
        chosen = await self._chosen(run, mailbox, records)
        after = Progress(
            reached=min([reached, *(one.created for one in records)]),
            place=next_,
            looked_at=(before.looked_at if before else 0) + len(records),
            admitted=(before.admitted if before else 0) + len(chosen),
            done=next_ is None,
        )
        went_on = await self._ledger.backfills.advance(run, mailbox, chosen, before, after)
        if went_on and chosen:
            log.info("old messages admitted", mailbox=str(mailbox), messages=len(chosen))
        return went_on

    async def _chosen(self, run: Run, mailbox: Mailbox, records: list[Message]) -> list[Admitted]:
        store = self._store_of(mailbox).in_bulk()
        before = await self._ledger.backfills.before()
        choice = Choice(self._routes, run.backfill.routes, before)
        found = []
        for message in records:
            known = await self._surroundings.of(store, mailbox, message, (CREATED,))
            if chosen := choice.of(message, mailbox, known):
                deliveries = {(route.name, CREATED): Delivery() for route in chosen}
                found.append(admitted(message, deliveries))
        return found


def _about_gone(names: list[str]) -> str:
    which = f"route {quoted(names[0])} is"
    if len(names) > 1:
        which = f"routes {', '.join(map(quoted, names))} are"
    return (
        f"{which} no longer there for new messages; bring back what had that name, or give "
        "`ringpost backfill --stop` and begin another with --route for each that is meant"
    )
