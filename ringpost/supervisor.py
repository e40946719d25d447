"""Keeps a set of programs running: in order up, again when one dies, in reverse order down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ringpost.child import Child, Echo, Program
from ringpost.refusal import Refusal

CONFIGURATION_REFUSED = 2
"""The exit code by which a child says that starting it again cannot help."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STEADY_AFTER = 60.0
_POLL = 0.05


class Supervisor:
    """Runs `programs` until told to stop; `say(line)` gets its own words."""

    def __init__(self, programs: Sequence[Program], echo: Echo, say: Callable[[str], None]) -> None:
        self.children = {program.name: Child(program, echo) for program in programs}
        self._say = say
        self._keepers: list[tuple[asyncio.Task[None], Child]] = []
        self._stopping = False
        self._trouble: asyncio.Future[None]

    async def run(
        self,
        stop: asyncio.Event,
        hurry: asyncio.Event,
        up: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Bring all up, call `up`, and keep them running until `stop` is set.

        Raises Refusal if a child refuses its configuration or is not ready in time. Whatever
        happens, no child is left running; `hurry` cuts the waiting for clean ends short.
        """
        self._trouble = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(self._bring_up(up))
        told = asyncio.create_task(stop.wait())
        try:
            await _first(work, told, self._trouble)
            if work.done():
                work.result()
                await _first(told, self._trouble)
            if self._trouble.done():
                self._trouble.result()
        finally:
            work.cancel()
            told.cancel()
            self._trouble.cancel()
            await asyncio.gather(work, told, self._trouble, return_exceptions=True)
            await self._stop_all(hurry)

    async def _bring_up(self, up: Callable[[], Awaitable[None]] | None) -> None:
        for child in self.children.values():
            keeper = asyncio.create_task(self._keep(child))
            keeper.add_done_callback(self._notice)
            self._keepers.append((keeper, child))
            await self._until_ready(child)
        if up is not None:
            await up()

    async def _until_ready(self, child: Child) -> None:
        program = child.program
        if program.ready is None:
            return
        deadline = time.monotonic() + program.ready_within
        while not (child.running and await program.ready()):
            if time.monotonic() > deadline:
                raise Refusal(
                    f"{program.name}: not ready within {program.ready_within:.0f} s; "
                    f"{program.advice or 'its lines above say why'}",
                    exit_code=1,
                )
            await asyncio.sleep(_POLL)

    async def _keep(self, child: Child) -> None:
        name, pause = child.program.name, _FIRST_PAUSE
        while True:
            started = time.monotonic()
            code = await child.run()
            if self._stopping:
                return
            if code == CONFIGURATION_REFUSED:
                raise Refusal(
                    f"{name}: refused its configuration (exit code 2); see its line above"
                )
            if time.monotonic() - started > _STEADY_AFTER:
                pause = _FIRST_PAUSE
            advice = f"; {child.program.advice}" if child.program.advice else ""
            self._say(
                f"{name} ended with {_ending(code)}; starting it again in {pause:g} s{advice}"
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _notice(self, keeper: asyncio.Task[None]) -> None:
        trouble = None if keeper.cancelled() else keeper.exception()
        if trouble is not None and not self._trouble.done():
            self._trouble.set_exception(trouble)

    async def _stop_all(self, hurry: asyncio.Event) -> None:
        self._stopping = True
        for keeper, child in reversed(self._keepers):
            if child.running:
                await child.stop(hurry)
            else:
                keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
