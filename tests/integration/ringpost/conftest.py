"""What the tests of the running parts share: a supervisor under test and programs to give it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog

from ringpost.child import Program
from ringpost.supervisor import Supervisor
from sandbox import RingCentral
from tests.support.asking import Ask


@dataclass
class Stage:
    """A supervisor that runs in a task; what it and its children said."""

    supervisor: Supervisor
    lines: list[tuple[str, str]]
    words: list[str]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def said(self, name: str, line: str) -> int:
        """How often this child has written this line."""
        return self.lines.count((name, line))

    def pid(self, name: str) -> int | None:
        """The process id of this child while it runs."""
        return self.supervisor.children[name].pid

    async def end(self) -> None:
        """Stop and wait; raises what the supervisor raises."""
        self.stop.set()
        assert self.task is not None
        await asyncio.wait_for(self.task, 30)


class Staging:
    """Makes stages and programs for them."""

    def program(self, name: str, code: str, **settings: object) -> Program:
        """A child that runs this Python code."""
        command = (sys.executable, "-u", "-c", code)
        return Program(name=name, command=command, **settings)  # type: ignore[arg-type]  # as given

    @asynccontextmanager
    async def running(self, programs: Sequence[Program]) -> AsyncIterator[Stage]:
        """Start the supervisor; stop it at the end unless the test did."""
        lines: list[tuple[str, str]] = []
        words: list[str] = []
        supervisor = Supervisor(
            programs, lambda name, line: lines.append((name, line)), words.append
        )
        stage = Stage(supervisor, lines, words)
        stage.task = asyncio.create_task(supervisor.run(stage.stop, stage.hurry))
        try:
            yield stage
        finally:
            stage.hurry.set()
            stage.stop.set()
            await asyncio.gather(stage.task, return_exceptions=True)


@pytest.fixture
def staging() -> Staging:
    """Supervisors to watch."""
    return Staging()


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """A command run in this process silences the log; later tests shall not notice."""
    yield
    structlog.reset_defaults()


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A RingCentral of this test."""
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
def environ(ringcentral: RingCentral) -> dict[str, str]:
    """The environment of a command that shall speak to it."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**inherited, **ringcentral.environment()}


@pytest.fixture
def ask(tmp_path: Path, environ: dict[str, str]) -> Ask:
    """Exit code, output and errors of the real `ringpost messages`, its input given as text."""

    async def run(*words: str, stdin: str = "", **variables: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ringpost", "messages", *words),
            cwd=tmp_path,
            env={**environ, **variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(stdin.encode()), 100)
        assert process.returncode is not None
        return process.returncode, out.decode(), errors.decode()

    return run
