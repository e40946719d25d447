"""`command`: runs a program of this machine, with the message as JSON and its files in a folder."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr

from message_store.message import Message
from worker.durations import Duration
from worker.handlers.child_program import Ended, run_program
from worker.handlers.contract import (
    Context,
    Handler,
    NotYetError,
    PermanentError,
    TransientError,
)
from worker.handlers.message_document import file_entry, files_of, message_document
from worker.handlers.plain_text import one_line

AGAIN_LATER = os.EX_TEMPFAIL
"""The exit code, 75, by which a program asks to be run again."""
_LONGEST = timedelta(minutes=14)  # the deadline of a step is 15
_WAITS_SECONDS = 20.0


def _checked_program(argv: list[str]) -> list[str]:
    if any("\0" in argument for argument in argv):
        raise ValueError("has a NUL, which no argument of a program can hold")
    if "/" in argv[0] and not Path(argv[0]).is_absolute():
        raise ValueError(f"{argv[0]}: write the whole path of the program, from / on")
    if shutil.which(argv[0]) is None:
        raise ValueError(
            f"{argv[0]}: there is no such program, or it may not be run; "
            "install it, or correct the path"
        )
    return argv


def _checked_environment(environment: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} is no name of a variable")
        if "\0" in value.get_secret_value():
            raise ValueError(f"the value of {name} has a NUL, which no variable can hold")
    return environment


def _checked_time(timeout: timedelta) -> timedelta:
    if timeout > _LONGEST:
        raise ValueError("must be at most 14m")
    return timeout


class Command(Handler):
    """Runs a program on this machine, without a shell."""

    run: Annotated[
        list[str],
        Field(min_length=1, examples=[["/usr/local/bin/print-fax"]]),
        AfterValidator(_checked_program),
    ]
    """The program and its arguments: ["/usr/local/bin/print-fax", "--tray", "2"]."""
    timeout: Annotated[Duration, AfterValidator(_checked_time)] = timedelta(minutes=1)
    """How long it may take, at most "14m"; then it is killed, and run again later."""
    files: bool = True
    """Whether the files of the message are put into its folder."""
    environment: Annotated[dict[str, SecretStr], AfterValidator(_checked_environment)] = Field(
        default_factory=dict
    )
    """Variables for it, beside PATH, LANG, HOME and TMPDIR; it gets no others."""
    at_once: Annotated[int, Field(ge=1, le=50)] = 4
    """How many of it run at the same time in a worker process."""

    _free: asyncio.Semaphore | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        """Run it; the words are the last line it prints."""
        async with self._place():
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="ringpost-"))
            try:
                stdin = await self._document(message, context, folder)
                ended = await self._run(stdin, folder)
            finally:
                # not to be interrupted: what it leaves is somebody's message
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
        return self._outcome(ended)

    async def check(self) -> str:
        """It is not run: nobody knows what it does without a message."""
        found = shutil.which(self.run[0])
        if found is None:
            raise PermanentError(f"{self.run[0]}: there is no such program any more; install it")
        return f"{found} may be run"

    async def close(self) -> None:
        """Nothing is held open; the next loop needs a semaphore of its own."""
        self._free = None

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of the places; raises NotYetError if none is free for long.

        Nothing is wrong then, and the time that is waited must not be taken from the program's.
        """
        if self._free is None:
            self._free = asyncio.Semaphore(self.at_once)
        free = self._free
        try:
            async with asyncio.timeout(_WAITS_SECONDS):
                await free.acquire()
        except TimeoutError:
            at = time.time() + _WAITS_SECONDS
            words = f"{self.at_once} of {self._name} run already"
            raise NotYetError(words, at, is_late=True) from None
        try:
            yield
        finally:
            free.release()

    async def _document(self, message: Message, context: Context, folder: Path) -> bytes:
        document = message_document(message, context)
        for file in files_of(context) if self.files else ():
            path = folder / file.name
            # a copy: what the program does to it must not change what other handlers get
            await asyncio.to_thread(shutil.copyfile, await file.path(), path)
            entry = {**file_entry(file, path.stat().st_size), "path": str(path)}
            document["data"]["files"].append(entry)
        return json.dumps(document).encode()

    async def _run(self, stdin: bytes, folder: Path) -> Ended:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            **{name: value.get_secret_value() for name, value in self.environment.items()},
        }
        seconds = self.timeout.total_seconds()
        try:
            return await run_program(
                self.run, stdin=stdin, folder=folder, environment=environment, seconds=seconds
            )
        except TimeoutError as error:
            raise TransientError(f"{self._name} did not end within {seconds:g} s") from error
        except (FileNotFoundError, PermissionError) as error:
            raise PermanentError(f"{self.run[0]} cannot be run: {error.strerror}") from error
        except OSError as error:
            raise TransientError(f"{self.run[0]} cannot be run: {error.strerror}") from error

    def _outcome(self, ended: Ended) -> str:
        if ended.code == 0:
            return _last_line(ended.stdout) or f"{self._name} ended well"
        said = _last_line(ended.stderr, ended.stdout)
        if ended.code < 0:
            raise TransientError(f"{self._name} was killed by {_signal(-ended.code)}")
        if ended.code == AGAIN_LATER:
            raise TransientError(said or f"{self._name} asked to be run again later")
        words = f"{self._name} ended with {ended.code}"
        raise PermanentError(f"{words}: {said}" if said else words)

    @property
    def _name(self) -> str:
        return Path(self.run[0]).name


def _last_line(*texts: str) -> str:
    """The last line of the first text that has one."""
    for text in texts:
        lines: Sequence[str] = [line for line in text.splitlines() if line.strip()]
        if lines:
            return one_line(lines[-1])
    return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
