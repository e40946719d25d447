"""`ringpost run` without credentials, as a newcomer starts it, seen from a second terminal."""

import email
import email.policy
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

Eventually = Callable[..., Awaitable[Any]]


class Demo:
    """The command in one terminal, and further commands in a second one, in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environ = {**inherited, "PYTHONUNBUFFERED": "1"}
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ringpost", "run"],
                cwd=folder,
                env={
                    **self._environ,
                    "PORT": "0",
                    "ADMIN_PORT": "0",
                    "RINGPOST_CONFIG": "mine.toml",
                },
                stdout=output,
                stderr=output,
            )

    def ask(self, *arguments: str) -> str:
        """What a command in the second terminal prints."""
        command = [sys.executable, "-m", "ringpost", *arguments]
        options: dict[str, Any] = {"cwd": self._folder, "env": self._environ, "text": True}
        done = subprocess.run(command, **options, capture_output=True, timeout=100)
        assert done.returncode == 0, done
        return str(done.stdout)

    def page(self, name: str) -> str:
        """A page of the admin process, which says where it is."""
        (address,) = re.findall(rf"  {name} +(http://\S+)", self.output())
        with urllib.request.urlopen(address, timeout=100) as answer:
            return str(answer.read().decode())

    def messages(self) -> list[dict[str, Any]]:
        """The mailbox as RingCentral shows it."""
        found: list[dict[str, Any]] = json.loads(self.ask("messages", "list", "--json"))
        return found

    def archived(self) -> list[Path]:
        """The folders of messages that are archived whole."""
        return [path.parent for path in (self.data / "archive").rglob("manifest.json")]

    def mails(self) -> list[Any]:
        """The mails, parsed."""
        return [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in (self.data / "mail").glob("*.eml")
        ]

    def output(self) -> str:
        """What the first terminal shows."""
        return self._output.read_text()


@pytest.fixture
async def demo(tmp_path: Path, eventually: Eventually) -> AsyncIterator[Demo]:
    """It runs, and its five messages have arrived."""
    demo = Demo(tmp_path)
    try:
        await eventually(lambda: "sandbox: pager" in demo.output())
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()


async def test_the_first_minute(demo: Demo, eventually: Eventually) -> None:
    """Five messages are archived, two of them mailed, and just those of the routes are read."""
    await eventually(lambda: len(demo.archived()) == 5 and len(demo.mails()) == 2)
    assert "RINGPOST_CONFIG=mine.toml is not used in the demonstration" in demo.output()
    assert sorted(path.name.partition("-")[0] for path in demo.archived()) == [
        *("Fax", "Pager", "SMS", "SMS", "VoiceMail")
    ]
    parts = [part for mail in demo.mails() for part in mail.iter_attachments()]
    heads = sorted(part.get_payload(decode=True)[:4] for part in parts)
    assert heads == [b"%PDF", b"RIFF"]

    def read() -> list[str]:
        found = demo.messages()
        return sorted(
            "MMS" if len(m["attachments"]) > 2 else m["type"]
            for m in found
            if m["readStatus"] == "Read"
        )

    await eventually(lambda: len(read()) >= 3)
    assert read() == ["Fax", "SMS", "VoiceMail"]

    pdf = demo.data / "any.pdf"
    pdf.write_bytes(b"%PDF-1.4 from the second terminal")
    demo.ask("sandbox", "send", "fax", "--file", str(pdf))
    await eventually(lambda: len(demo.mails()) == 3)
    parts = [part for mail in demo.mails() for part in mail.iter_attachments()]
    assert pdf.read_bytes() in [part.get_payload(decode=True) for part in parts]

    fourth = json.loads(demo.ask("messages", "list", "--type", "mms", "--json"))
    assert [len(message["attachments"]) > 2 for message in fourth] == [True]
    port = next(f for f in json.loads(demo.ask("check", "--json")) if f["subject"] == "port")
    assert (port["state"], "that runs here" in port["words"]) == ("ok", True)

    overview = json.loads(demo.ask("status", "--json"))
    assert json.loads(demo.page("status")).keys() == overview.keys()
    kept = 'ringpost_deliveries_total{outcome="done",route="Everything is kept"} 6.0'
    await eventually(lambda: kept in demo.page("metrics"))
    counted = 'ringpost_steps_total{handler="vault",outcome="done"} 6.0'
    await eventually(lambda: counted in demo.page("metrics"))
    assert 'ringpost_notifications_total{outcome="accepted"}' in demo.page("metrics")
    await eventually(lambda: json.loads(demo.ask("status", "--json"))["due"] == 0)
    assert overview["polling"] is False
    assert "Everything is kept" in demo.ask("status")
    assert json.loads(demo.ask("failures", "--json")) == []

    fax = next(m for m in demo.messages() if m["type"] == "Fax")
    assert "RenderedDocument" in demo.ask("messages", "show", str(fax["id"]))
    demo.ask("messages", "mark", str(fax["id"]), "--unread")
    assert json.loads(demo.ask("messages", "show", str(fax["id"]), "--json"))["readStatus"] == (
        "Unread"
    )
    (file,) = demo.ask("messages", "download", str(fax["id"]), "--to", "files").splitlines()
    assert (demo.data.parent / file).read_bytes().startswith(b"%PDF")


async def test_it_ends_cleanly_and_leaves_nobody_behind(demo: Demo, eventually: Eventually) -> None:
    """SIGTERM stops all parts in order, within bounds, and nothing says that it still runs."""
    children = psutil.Process(demo.process.pid).children(recursive=True)
    names = {" ".join(child.cmdline()[1:4]) for child in children}
    assert {
        "-m webhook",
        "-m ringpost admin",
        "-m sandbox --port",
        "-m ringpost.mail_sink --port",
    } <= names
    for child in psutil.Process(demo.process.pid).children():
        command, known = child.cmdline(), {*child.environ()}
        worker = "celery" in command and "worker" in command[-3:]
        assert ({"RC_JWT", "RC_CLIENT_SECRET", "DEMO_SMTP"} <= known) is worker
        assert not known & {"RC_JWT", "DEMO_SMTP"} or worker
        assert ("WEBHOOK_VERIFICATION_TOKEN" in known) is (worker or "webhook" in command)
        assert "PATH" in known or not known  # Redis overwrites them with its title
    os.kill(demo.process.pid, signal.SIGTERM)
    os.kill(demo.process.pid, signal.SIGTERM)  # a process group may hand it on: no hurry
    await eventually(lambda: demo.process.poll() is not None)
    assert demo.process.returncode == 0
    assert "killed" not in demo.output()
    assert demo.output().endswith("Stopped.\n")
    assert not psutil.wait_procs(children, timeout=100)[1]
    assert not (demo.data / "run.json").exists()


async def test_a_killed_part_comes_back(demo: Demo, eventually: Eventually) -> None:
    """kill -9 of worker and admin: others take over, deliver what comes, and show it."""
    await eventually(lambda: len(demo.archived()) == 5)
    (worker,) = [
        child
        for child in psutil.Process(demo.process.pid).children()
        if child.cmdline()[-3:-2] == ["worker"] and "celery" in child.cmdline()
    ]
    (admin,) = [
        child
        for child in psutil.Process(demo.process.pid).children()
        if child.cmdline()[-1:] == ["admin"]
    ]
    admin.kill()
    worker.kill()
    await eventually(lambda: "worker ended with signal 9" in demo.output())
    demo.ask("sandbox", "send", "sms", "--text", "after the kill")
    await eventually(lambda: len(demo.archived()) == 6)
    assert len(json.loads(demo.page("status"))["mailboxes"]) == 1
