"""Delivers: takes due deliveries from the ledger, and goes through the steps of many at once."""

import asyncio
import contextlib
import time
from collections.abc import Collection

import structlog

from .attempts import Attempts, ContextFactory, FilesOver
from .failures import reason
from .in_force import InForce
from .ledger.connection import LedgerError
from .ledger.deliveries import DeliveryLedger
from .ledger.records import Claim
from .steps import ReadAgain, Steps
from .together import cancel_all

log = structlog.get_logger()

# A task ends before its deadline; what is under way then goes on beside it.
_WORK_SECONDS = 240.0
_GATHER_SECONDS = 0.01


class Deliverer:
    """Runs up to `capacity` deliveries at once; none waits for the slowest.

    `read_again` reads the message of a claim at RingCentral. `files_over` is called for each
    message whose files nobody needs any more.
    """

    def __init__(
        self,
        ledger: DeliveryLedger,
        in_force: InForce,
        context: ContextFactory,
        read_again: ReadAgain,
        files_over: FilesOver,
        capacity: int = 50,
    ) -> None:
        self._ledger = ledger
        self.in_force = in_force
        """What deliveries that begin from now on go by; those under way end as they began."""
        self._attempts = Attempts(ledger, context, files_over, places=max(1, capacity // 2))
        self._steps = Steps(ledger, self._attempts, read_again)
        self._capacity = capacity
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._more = False
        self._stopping = False
        self._wake = asyncio.Event()
        self._working = False

    @property
    def claims(self) -> list[Claim]:
        """The deliveries under way in this process."""
        return list(self._running.values())

    async def work(self) -> None:
        """Deliver until nothing is due; if that is under way already, make it look again.

        Returns after a while even if more is due: the pump hands on what is.
        """
        self._more = True
        self._wake.set()
        if self._working:
            return
        self._working = True
        try:
            await self._work()
        finally:
            self._working = False

    async def _work(self) -> None:
        until = time.monotonic() + _WORK_SECONDS
        while time.monotonic() < until:
            self._wake.clear()
            free = self._capacity - len(self._running)
            if self._more and free and not self._stopping:
                self._more = False
                claims = await self._ledger.claim(free)
                self._more = self._more or len(claims) == free
                for claim in claims:
                    self._begin(claim)
                # Bulk work gets few places: there may be more whenever one of them is free again.
                self._more = self._more or any(claim.delivery.bulk for claim in self.claims)
            if not self._running:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - time.monotonic()):
                    await self._wake.wait()
            # What ends at about the same time is replaced by one claim.
            await asyncio.sleep(_GATHER_SECONDS)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._deliver(claim))
        self._running[task] = claim
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Foremost a ledger that stays away: the claim lapses and is taken up again.
            log.error("delivery interrupted", reason=reason(error))

    def leave(self, claims: Collection[Claim]) -> None:
        """Stop what another worker has taken over: it stood still here for longer than a lease."""
        for task, claim in self._running.items():
            if claim in claims:
                log.warning("claim lost", mailbox=str(claim.mailbox), message=claim.message_id)
                task.cancel()

    async def drain(self, grace: float) -> None:
        """Claim nothing more, and let what is under way end within `grace` seconds."""
        self._stopping = True
        if self._running:
            await asyncio.wait(list(self._running), timeout=grace)

    async def release(self) -> None:
        """Stop what is under way and give it back, due at once (a worker that shuts down)."""
        running = dict(self._running)
        await cancel_all(running)
        await self._ledger.release(list(running.values()))

    async def _deliver(self, claim: Claim) -> None:
        in_force = self.in_force
        with in_force.handlers.in_use():
            try:
                await self._steps.take(claim, in_force)
            except LedgerError:
                raise
            # Left alone, its claim would lapse as if the worker had died, five times over.
            except Exception as error:  # noqa: BLE001
                await self._attempts.failed(claim, error, in_force)
