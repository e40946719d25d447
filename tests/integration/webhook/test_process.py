"""`python -m webhook` as a process: its start, its refusals, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from webhook.hints import SWEEP

TOKEN = "A1b2C3d4E5f6G7h8"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(redis_url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts the process with a complete environment, changed as a test says (None removes)."""
    children = []

    def start(**changes: str | None) -> subprocess.Popen[str]:
        environment: dict[str, str | None] = {
            **os.environ,
            "REDIS_URL": redis_url,
            "WEBHOOK_VERIFICATION_TOKEN": TOKEN,
            "HOST": "127.0.0.1",
            "PORT": "0",
            "WEBHOOK_URL": None,
            **changes,
        }
        child = subprocess.Popen(
            [sys.executable, "-m", "webhook"],
            cwd=tmp_path,
            env={name: value for name, value in environment.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def listening_port(child: subprocess.Popen[str]) -> int:
    """The port it says it listens on."""
    assert child.stdout is not None
    for line in child.stdout:
        if "webhook listens" in line:
            found = re.search(r"port=\D*(\d+)", re.sub(r"\x1b\[[0-9;]*m", "", line))
            assert found is not None
            return int(found[1])
    raise AssertionError("it does not listen")


def post(port: int, mailbox: str) -> int:
    event = f"/restapi/v1.0/account/7/extension/{mailbox}/message-store"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/webhook",
        data=b'{"event":"%s","body":{}}' % event.encode(),
        headers={"Verification-Token": TOKEN},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return int(reply.status)


def test_runs_and_stops(start: Start, redis_url: str, tasks: Callable[[str], list[Any]]) -> None:
    """It says where it listens, answers, ends on SIGTERM with code 0, and tells no secret."""
    child = start()
    port = listening_port(child)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as reply:
        assert reply.status == 200
    assert post(port, "101") == 200
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert TOKEN not in out
    assert tasks(redis_url) == [
        ("worker.sync", [], {"mailboxes": [SWEEP]}),
        ("worker.sync", [], {"mailboxes": ["7/101"]}),
    ]


def test_a_bug_of_ours_shows_no_variables(tmp_path: Path) -> None:
    """The log has the traceback of an internal error, in lines like the others, and no value."""
    code = (
        "import asyncio, sys\n"
        "import webhook.__main__ as m\n"
        "from webhook.outcomes import Outcomes\n"
        "async def bug(_self, request, secret='a-header-of-theirs'):\n"
        "    token = request.headers['Verification-Token']\n"
        "    raise RuntimeError('it came with ' + token)\n"
        "m.create_app.__globals__['Webhook'].__call__ = bug\n"
        "sys.exit(m.main())"
    )
    environment = {**os.environ, "WEBHOOK_VERIFICATION_TOKEN": TOKEN, "PORT": "0"}
    environment |= {"HOST": "127.0.0.1", "REDIS_URL": f"unix://{tmp_path}/none.sock"}
    environment.pop("WEBHOOK_URL", None)
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with pytest.raises(urllib.error.HTTPError, match="500"):
            post(listening_port(child), "101")
    finally:
        child.terminate()
        out, _ = child.communicate(timeout=60)
    assert re.search(r"in bug\n(.*\n)?RuntimeError\n", out)
    assert re.search(r"^\d\d:\d\d:\d\d \[warning", out, re.MULTILINE)
    assert TOKEN not in out
    assert "a-header-of-theirs" not in out


def test_hands_on_before_it_goes(
    start: Start, broker: Any, tasks: Callable[[str], list[Any]]
) -> None:
    """Stopped with hints in hand while the broker comes back, it hands them on first."""
    child = start(REDIS_URL=broker.url)
    port = listening_port(child)
    for mailbox in ("1", "2", "3"):
        assert post(port, mailbox) == 200
    broker.start()
    while not broker.socket.exists():
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)
    assert child.returncode == 0
    sent = [one for _, _, kwargs in tasks(broker.url) for one in kwargs["mailboxes"]]
    assert sorted(sent) == [SWEEP, "7/1", "7/2", "7/3"]


def test_a_broker_away_does_not_hold_up_the_end(start: Start, broker: Any) -> None:
    """Without a broker it still ends within seconds, with code 0."""
    child = start(REDIS_URL=broker.url)
    assert post(listening_port(child), "1") == 200
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "hints not handed on" in out


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"WEBHOOK_VERIFICATION_TOKEN": None}, "WEBHOOK_VERIFICATION_TOKEN is not set"),
        ({"WEBHOOK_VERIFICATION_TOKEN": "sesame"}, "WEBHOOK_VERIFICATION_TOKEN must be 16 to 64"),
        ({"REDIS_URL": None}, "REDIS_URL is not set"),
        ({"PORT": "x"}, 'PORT "x" must be a number'),
    ],
)
def test_refuses_unusable_settings(start: Start, changes: dict[str, Any], line: str) -> None:
    """One line on what is wrong and code 2."""
    child = start(**changes)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert "sesame" not in err


def test_a_port_in_use(start: Start) -> None:
    """One line that names the variable and the remedy, and code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        child = start(PORT=str(port))
        _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert err.startswith(
        f"PORT {port} on 127.0.0.1 is in use: stop what listens there or set PORT"
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_impossible_host(start: Start, host: str) -> None:
    """One line that names the variable and the remedy, and code 1."""
    child = start(HOST=host)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert err.startswith(f"HOST {host} cannot be listened on")
    assert err.count("\n") == 1
