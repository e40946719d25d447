"""Canaries: what people write and what lets us in is put into a real line and looked for outside.

Every value is unmistakable, so that a search in all that the processes produce is enough.
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from sandbox import RingCentral
from sandbox.samples.content import InMemory
from tests.support.line import ACCESS_TOKEN, Inbox, Line, free_port
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]

TEXT = "canary0text0that0somebody0wrote"
NAME = "Canary0Caller"
NUMBER = "+12125550147"
FILE = b"canary0file0content" * 50
FILE_NAME = "canary0file0name.png"
MESSAGE = {
    "text": TEXT,
    "name": NAME,
    # masked, the last four digits may be seen
    "number": "2125550147",
    "number as people write it": "(212) 555-0147",
    "content": FILE[:19].decode(),
    "file name": FILE_NAME.removesuffix(".png"),
}
SECRETS = {
    "client secret": "canary0client0secret",
    "JWT": "canary0jwt0credential",
    "SMTP password": "canary0smtp0password",
    "verification token": "canary0verification0token",
    "key": "Y2FuYXJ5MGtleTBjYW5hcnkwa2V5MGNhbmFyeTBrZXk=",
    "hook": "canary0hook0token",
    "hook in a header": "canary0bearer0token0",
}

COMMANDS = ("status", "failures", "failures --json", "check")
HANDLERS = ("Crash", "CrashInGroup", "Disconnected", "Unreachable", "Refused", "Noted")
ROUTES = """
[handlers.office-mail]
use = "email"
smtp = "${CANARY_SMTP}"
from = "phone@example.com"
to = ["office@example.com"]
[[routes]]
name = "mailed"
steps = ["office-mail"]
[[routes]]
name = "kept"
steps = ["vault"]
""" + "".join(
    f"""
[handlers.{name.lower()}]
use = "canary:{name}"
url = "${{CANARY_HOOK}}"
[[routes]]
name = "{name}"
steps = ["{name.lower()}"]
"""
    for name in HANDLERS
)


@pytest.fixture
async def ringcentral() -> Any:
    secret, jwt = SECRETS["client secret"], SECRETS["JWT"]
    async with RingCentral(client_secret=secret, jwt=jwt) as ringcentral:
        yield ringcentral


@pytest.fixture
def mail_server() -> Iterator[str]:
    """A server that refuses the login and repeats the password; its address."""

    def refuse(*arguments: Any) -> AuthResult:
        login = arguments[-1]
        words = f"535 5.7.8 {login.password.decode()} is wrong"
        return AuthResult(success=False, handled=False, message=words)

    controller = Controller(
        Inbox(),
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=refuse,
        auth_require_tls=False,
    )
    controller.start()
    yield f"smtp://phone:{SECRETS['SMTP password']}@127.0.0.1:{controller.port}"
    controller.stop()


class Watch:
    """Redis' MONITOR: every command that any process sends."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._monitor = self._client.monitor()  # type: ignore[no-untyped-call]  # redis-py's
        self._monitor.__enter__()

    def commands(self) -> str:
        """What went to Redis, and what its scripts made of it."""
        self._client.ping()
        lines = []
        self._client.echo("canary0end")
        for command in self._monitor.listen():
            if "canary0end" in command["command"]:
                break
            lines.append(command["command"])
        self._monitor.__exit__()
        self._client.close()
        return "\n".join(lines)


async def test_nothing_leaks(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    mail_server: str,
    redis_url: str,
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    """No secret and nothing of a message is in a log, an error, a task, a name or an output."""
    line.environment |= {
        "RINGPOST_KEY": SECRETS["key"],
        "WEBHOOK_VERIFICATION_TOKEN": SECRETS["verification token"],
        "CANARY_SMTP": mail_server,
        "CANARY_HOOK": f"https://hooks.invalid/{SECRETS['hook']}/{SECRETS['hook in a header']}",
    }
    line.configure(ROUTES)
    watch = Watch(redis_url)
    await started()
    echo = {
        "message": f"Bearer {_token(ringcentral)} of {NUMBER} ({TEXT}) is wrong",
        "errorCode": "CMN-100",
        "parameterName": NUMBER,
    }
    page = f"<h1>{TEXT} {NUMBER} {_token(ringcentral)}</h1>"
    ringcentral.fails("message-sync", status=500, times=2, body=page)
    ringcentral.fails("message-sync", status=400, body=json.dumps(echo))
    await _arrive(ringcentral)
    await eventually(lambda: "sync failed" in line.log.read_text())
    await line.notify(token=SECRETS["verification token"])
    await line.notify(token=f"wrong{SECRETS['verification token']}")
    with redis.Redis.from_url(redis_url) as client:
        # of each message: a crash, a crash in a group, and a refusal
        await eventually(lambda: client.zcard("ringpost:ledger:failed") == 2 * 3)
        await eventually(lambda: line.log.read_text().count("refused the login") >= 2)
        await eventually(lambda: len(line.archived()) == 2)
        in_redis = "\n".join(_texts(client))
    gc.collect()
    names = "\n".join(_names(tmp_path))
    outputs = await asyncio.gather(
        *(
            _output(line, *words.split())
            for words in ("status", "failures", "failures --json", "check")
        )
    )
    outputs += await _pages(line)
    by_hand = await _output(line, "messages", "list", "--json")
    command_lines = "\n".join(_command_lines())
    line.stop()

    produced = {
        "log": line.log.read_text(),
        "redis": watch.commands(),
        "what Redis holds": in_redis,
        "names of files": names,
        "command lines": command_lines,
        "outputs of commands": "\n".join(outputs),
    }
    secrets = SECRETS | {"access token": ACCESS_TOKEN}
    assert _found(produced, MESSAGE | secrets) == []
    assert _found({"messages": by_hand}, secrets) == []
    # the search can find something
    assert NUMBER in by_hand
    assert "***0147" in produced["log"]
    assert "Traceback" in produced["log"]
    assert "worker.sync" in produced["redis"]
    assert "RuntimeError (canary.py:" in produced["outputs of commands"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CANARY_SMTP", f"http://phone:{SECRETS['SMTP password']}@127.0.0.1"),
        ("REDIS_URL", f"http://:{SECRETS['hook']}@localhost/0"),
    ],
)
def test_exit_messages(line: Line, name: str, value: str) -> None:
    """A process that refuses what it is given says which variable is wrong, not what it holds."""
    hook = f"https://hooks.invalid/{SECRETS['hook']}"
    line.environment |= {"CANARY_SMTP": "smtp://127.0.0.1", "CANARY_HOOK": hook, name: value}
    line.configure(ROUTES)
    line.start("worker")
    assert line.processes["worker"].wait(100) == 2
    said = line.log.read_text()
    assert _found({"log": said}, SECRETS) == []
    assert name in said or "[handlers.office-mail]" in said


def _names(folder: Path) -> Iterator[str]:
    """All files but those of the archive, which carry the names that their senders gave them."""
    for path in folder.rglob("*"):
        if "archive" not in path.parts:
            yield str(path)


async def _arrive(ringcentral: RingCentral) -> None:
    """A text with a picture, and a fax."""
    wish: dict[str, Any] = {"sender": NUMBER, "sender_name": NAME}
    picture = InMemory(FILE, FILE_NAME, "image/png")
    await ringcentral.receives_mms(TEXT, attachments=[picture], **wish)
    await ringcentral.receives_fax(attachments=[picture], **wish)


def _token(ringcentral: RingCentral) -> str:
    return ringcentral.server.emulator.tokens._sessions[-1].access_token


async def _output(line: Line, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", *words),
        cwd=line.data,
        env=line.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


async def _pages(line: Line) -> list[str]:
    """What the admin process shows."""
    port = str(free_port())
    line.environment |= {"ADMIN_HOST": "127.0.0.1", "ADMIN_PORT": port}
    admin = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "admin"),
        cwd=line.data,
        env=line.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert admin.stdout is not None
    said = await asyncio.wait_for(admin.stdout.readline(), 100)
    assert b"listens" in said, said
    pages = []
    async with aiohttp.ClientSession() as session:
        for page in ("status", "metrics"):
            async with session.get(f"http://127.0.0.1:{port}/{page}") as answer:
                assert answer.status == 200
                pages.append(await answer.text())
    admin.terminate()
    rest, _ = await admin.communicate()
    return [*pages, (said + rest).decode()]


def _texts(client: "redis.Redis") -> Iterator[str]:
    """All that Redis holds."""
    for key in client.scan_iter():
        name = key.decode()
        yield name
        match client.type(key):
            case b"string":
                yield repr(client.get(key))
            case b"hash":
                for field, value in client.hgetall(key).items():
                    yield f"{field!r} {value!r}"
            case b"list":
                yield repr(client.lrange(key, 0, -1))
            case b"set":
                yield repr(client.smembers(key))
            case b"zset":
                yield repr(client.zrange(key, 0, -1))


def _command_lines() -> Iterator[str]:
    """What everybody on this machine can read of every process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def _found(produced: Mapping[str, str], canaries: Mapping[str, str]) -> list[str]:
    """Which canary is where, with the line around it."""
    found = []
    for place, text in produced.items():
        for name, canary in canaries.items():
            if (at := text.find(canary)) >= 0:
                found.append(f"{name} in {place}: {text[max(0, at - 200) : at + 60]!r}")
    return found
