"""One program that runs beside others: started on a leash, its lines passed on, stopped in time."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ringpost import leash

_LINE_LIMIT = 64 * 1024
Echo = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, how to see that it is ready, how long a clean stop may take.

    `withheld` are variables of ours that it does not get; `keep_open` are file descriptors it
    inherits; `advice` is said when it dies.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)  # carries secrets
    withheld: frozenset[str] = frozenset()
    ready: Callable[[], Awaitable[bool]] | None = None
    ready_within: float = 30.0
    stop_within: float = 5.0
    keep_open: tuple[int, ...] = ()
    advice: str = ""


class Child:
    """A running program; `echo(name, line)` gets every line it writes."""

    def __init__(self, program: Program, echo: Echo) -> None:
        self.program = program
        self._echo = echo
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self.running else None

    async def run(self) -> int:
        """Start it, pass its lines on until it ends, and answer its exit code."""
        # A group of its own: Ctrl-C at the terminal then reaches only us, who stop all in order.
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(leash.__file__)), str(os.getpid())),
            *self.program.command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environment(),
            process_group=0,
            pass_fds=self.program.keep_open,
            limit=_LINE_LIMIT,
        )
        lines = asyncio.create_task(self._pass_on(process))
        try:
            return await process.wait()
        finally:
            # What it wrote last says why it ended; a grandchild may hold the pipe open for longer.
            with suppress(TimeoutError):
                await asyncio.wait_for(lines, 1)

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ask it to end; after `stop_within` seconds, or in a hurry, kill it and its group."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        ended = asyncio.create_task(process.wait())
        rushed = asyncio.create_task(hurry.wait())
        await asyncio.wait(
            {ended, rushed}, timeout=self.program.stop_within, return_when=asyncio.FIRST_COMPLETED
        )
        rushed.cancel()
        if not ended.done():
            self._echo(self.program.name, "did not stop in time and was killed")
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        await ended

    def _environment(self) -> dict[str, str]:
        withheld = self.program.withheld
        ours = {name: value for name, value in os.environ.items() if name not in withheld}
        return ours | dict(self.program.environ)

    async def _pass_on(self, process: Process) -> None:
        stream = process.stdout
        assert stream is not None  # noqa: S101  # it was asked for above
        while True:
            try:
                line = await stream.readuntil(b"\n")
            except asyncio.IncompleteReadError as end:
                if end.partial:
                    self._echo(self.program.name, _text(end.partial))
                return
            except asyncio.LimitOverrunError as long:
                line = await stream.readexactly(long.consumed)
            self._echo(self.program.name, _text(line))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()
