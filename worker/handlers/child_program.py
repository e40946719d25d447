"""Runs a program to its end: without a shell, in a process group of its own, bounded in all.

Nothing of the group outlives it: children that it leaves behind are killed with it.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

# What is kept of each output: its end, where the last words are.
_KEPT = 8 * 1024
# For a pipe that a process outside the group holds open.
_LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, or the negative number of the signal that killed it."""

    code: int
    stdout: str
    stderr: str


class _Tail(asyncio.Protocol):
    """Keeps the end of what comes through a pipe."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.kept += data
        del self.kept[:-_KEPT]

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()

    @property
    def text(self) -> str:
        return self.kept.decode("utf-8", "replace")


async def run_program(
    argv: Sequence[str],
    *,
    stdin: bytes,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
) -> Ended:
    """Run it in a folder; raises OSError if it cannot be started, TimeoutError if it goes on."""
    async with AsyncExitStack() as stack:
        given = tempfile.TemporaryFile()  # noqa: SIM115  # closed by the stack
        stack.callback(given.close)
        given.write(stdin)
        given.seek(0)
        # Pipes of our own: with asyncio's, `wait` waits for whoever holds them open.
        out, write_out = await _pipe(stack)
        err, write_err = await _pipe(stack)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=given,
                stdout=write_out,
                stderr=write_err,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        finally:
            os.close(write_out)
            os.close(write_err)
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        finally:
            _kill(process)
            await process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await out.ended.wait()
                await err.ended.wait()
        return Ended(code, out.text, err.text)


async def _pipe(stack: AsyncExitStack) -> tuple[_Tail, int]:
    """What comes through a new pipe, and its end to write to."""
    read, write = os.pipe()
    transport, tail = await asyncio.get_running_loop().connect_read_pipe(
        _Tail, os.fdopen(read, "rb", buffering=0)
    )
    stack.callback(transport.close)
    return tail, write


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
