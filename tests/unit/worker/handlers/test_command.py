"""`command`: what a program gets, what its end means, and that nothing of it stays."""

import asyncio
import json
import os
import stat
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop
from pydantic import ValidationError

from tests.support.waiting import Eventually
from worker.handlers import command
from worker.handlers.child_program import run_program
from worker.handlers.command import Command
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import FAX, HOSTILE, PDF, SMS
from worker.handlers.contract import Handler, NotYetError, PermanentError, TransientError

Attempt = Callable[..., Awaitable[str]]


class TestConformance(HandlerConformance):
    """It passes the suite for all handlers."""

    def make_handler(self) -> Handler:
        return made("cat > /dev/null; ls | wc -l")


def made(script: str, *arguments: str, **options: Any) -> Command:
    run = ["/bin/sh", "-c", script, "sh", *arguments]
    return Command.model_validate({"run": run, **options})


async def test_what_it_gets(attempt: Attempt, tmp_path: Path) -> None:
    """The message on standard input, its files in a private folder, which is gone afterwards."""
    script = 'cat > "$1"; stat -c %a . >> "$2"; cat *.pdf >> "$3"; pwd; ls -a >&2'
    asked, mode, pdf = (str(tmp_path / name) for name in ("asked", "mode", "pdf"))
    folder = Path(await attempt(made(script, asked, mode, pdf), FAX))
    document = json.loads(read(asked))
    [file] = document["data"]["files"]
    assert document["data"]["message"]["faxPageCount"] == 3
    assert file["path"] == f"{folder}/document-501.pdf"
    assert (read(mode).strip(), read(pdf)) == (b"700", PDF)
    assert not is_there(folder)


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def is_there(folder: Path) -> bool:
    return folder.exists()


async def test_without_files(attempt: Attempt) -> None:
    """None is downloaded if the program wants none."""
    assert await attempt(made("ls -A | wc -l", files=False), HOSTILE) == "0"
    assert await attempt(made("ls -A | wc -l"), HOSTILE) == "8"


async def test_its_environment(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has what it needs and what it is given, and none of our secrets."""
    monkeypatch.setenv("RC_CLIENT_SECRET", "hush-hush")
    monkeypatch.setenv("REDIS_URL", "redis://:hush@localhost")
    handler = made("env | cut -d= -f1 | sort | xargs", environment={"TRAY": "2"})
    found = set((await attempt(handler, SMS)).split()) - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert found == {"HOME", "LANG", "PATH", "TMPDIR", "TRAY"}
    assert "hush" not in repr(made("true", environment={"A": "hush"}))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo first; echo ' printed on tray 2 '; echo", "printed on tray 2"),
        ("true", "sh ended well"),
        ("printf 'a\\033[2Jb\\0c'", "a [2Jb c"),
        ("yes | head -c 20000000; echo; echo done", "done"),
    ],
)
async def test_done(attempt: Attempt, script: str, words: str) -> None:
    """The last line it prints is kept, however much it prints and whatever that is."""
    assert await attempt(made(script), SMS) == words


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("echo out; echo no paper >&2; exit 1", PermanentError, "sh ended with 1: no paper"),
        ("exit 2", PermanentError, "^sh ended with 2$"),
        ("echo printer is busy; exit 75", TransientError, "^printer is busy$"),
        ("exit 75", TransientError, "sh asked to be run again later"),
        ("kill -TERM $$", TransientError, "sh was killed by SIGTERM"),
    ],
)
async def test_failures(attempt: Attempt, script: str, kind: type[Exception], words: str) -> None:
    """75 asks for another attempt, as a signal does; any other code is final."""
    with pytest.raises(kind, match=words):
        await attempt(made(script), SMS)


async def test_a_program_that_hangs(
    attempt: Attempt, tmp_path: Path, eventually: Eventually
) -> None:
    """It is killed with all its children when its time is up."""
    note = tmp_path / "pid"
    handler = made('sleep 60 & echo $! > "$1"; wait', str(note), timeout="1s")
    with pytest.raises(TransientError, match="sh did not end within 1 s"):
        await attempt(handler, SMS)
    await eventually(has_ended(note))


async def test_children_that_stay_behind(
    attempt: Attempt, tmp_path: Path, eventually: Eventually
) -> None:
    """What it leaves in its group ends with it; what left the group does not hold it up."""
    note = tmp_path / "pid"
    script = 'sleep 60 & echo $! > "$1"; setsid sleep 30 & echo started'
    assert await asyncio.wait_for(attempt(made(script, str(note)), SMS), 25) == "started"
    await eventually(has_ended(note))


def has_ended(note: Path) -> Callable[[], Awaitable[bool]]:
    async def has_ended() -> bool:
        return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE

    pid = int(note.read_text())
    return has_ended


async def test_how_many_run_at_once(attempt: Attempt, tmp_path: Path) -> None:
    """No more than allowed, whoever asks."""
    script = 'mkdir "$1" || exit 3; sleep 0.05; rmdir "$1"'
    handler = made(script, str(tmp_path / "lock"), at_once=1)
    await asyncio.gather(*(attempt(handler, SMS) for _ in range(4)))


async def test_who_waits_for_long(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes again later, and that is no attempt: the time of a step is the program's."""
    monkeypatch.setattr(command, "_WAITS_SECONDS", 0.05)
    handler = made("sleep 60", at_once=1)
    running = asyncio.ensure_future(attempt(handler, SMS))
    await asyncio.sleep(0)  # the first one has the place
    with pytest.raises(NotYetError, match="1 of sh run already") as error:
        await attempt(handler, SMS)
    assert error.value.is_late
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_it_runs_in_the_worker_s_kind_of_loop(tmp_path: Path) -> None:
    """In a loop of uvloop that is not the main thread's, as in a worker."""
    codes: list[int] = []

    async def run() -> None:
        ended = await run_program(
            ["/bin/sh", "-c", "cat; exit 3"],
            stdin=b"a" * 100_000,
            folder=tmp_path,
            environment={},
            seconds=10,
        )
        codes.append(ended.code)

    def in_loop() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=in_loop)
    thread.start()
    thread.join(60)
    assert codes == [3]


async def test_a_program_that_went_away(attempt: Attempt, tmp_path: Path) -> None:
    """It fails and says so; `check` does as well, and runs nothing."""
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\nprint('ran')\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    handler = Command.model_validate({"run": [str(program)]})
    assert await attempt(handler, SMS) == "ran"
    assert await handler.check() == f"{program} may be run"
    program.unlink()
    with pytest.raises(PermanentError, match="cannot be run: No such file"):
        await attempt(handler, SMS)
    with pytest.raises(PermanentError, match="no such program any more"):
        await handler.check()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"run": []}, "at least 1 item"),
        ({"run": "ls -l"}, "list"),
        ({"run": ["no-such-program-here"]}, "there is no such program"),
        ({"run": [os.devnull]}, "or it may not be run"),
        ({"run": ["./print"]}, "write the whole path"),
        ({"run": ["/bin/sh", "a\0b"]}, "no argument of a program can hold"),
        ({"run": ["/bin/sh"], "environment": {"A=B": "c"}}, "'A=B' is no name of a variable"),
        ({"run": ["/bin/sh"], "environment": {"A": "b\0c"}}, "the value of A has a NUL"),
        ({"run": ["/bin/sh"], "timeout": "1h"}, "at most 14m"),
        ({"run": ["/bin/sh"], "at_once": 0}, "greater than or equal to 1"),
    ],
)
def test_options(options: dict[str, Any], words: str) -> None:
    """Wrong ones are refused at start."""
    with pytest.raises(ValidationError, match=words):
        Command.model_validate(options)
