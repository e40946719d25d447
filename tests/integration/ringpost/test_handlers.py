"""`ringpost handlers`: what there is, what options it has, and one message through one handler."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner, Result

from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.__main__ import app
from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal
from sandbox import RingCentral
from tests.support.line import Inbox, free_port
from worker.handlers import lookup
from worker.handlers.built_in import BUILT_IN
from worker.ledger import open_ledger
from worker.links.token import LinkToken

CONFIGURATION = """
[handlers.program]
use = "command"
run = ["/bin/sh", "-c", "cat *; echo; ls | wc -l; exit 0"]
[handlers.broken]
use = "command"
run = ["/bin/sh", "-c", "echo no paper >&2; exit $CODE"]
environment = { CODE = "${CODE}" }
[handlers.mail]
use = "email"
smtp = "smtps://user:hush-hush@mail.example.com"
from = "a@example.com"
to = ["b@example.com"]
subject = "{{ message.type }} from {{ message.sender }} ({{ on }})"
[[routes]]
name = "r"
steps = ["program", "mark-read"]
"""
FAX = {
    "id": 501,
    "type": "Fax",
    "from": {"phoneNumber": "+16505550100"},
    "attachments": [{"id": 501, "type": "RenderedDocument", "contentType": "application/pdf"}],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a configuration, a message and its file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODE", "75")
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    (tmp_path / "message.json").write_text(json.dumps(FAX))
    (tmp_path / "document-501.pdf").write_text("three pages")
    return tmp_path


def handlers(*words: str) -> Result:
    return CliRunner().invoke(app, ["handlers", *words], catch_exceptions=True)


def refusal(*words: str) -> str:
    error = handlers(*words).exception
    assert isinstance(error, Refusal)
    return str(error.lines[0])


def test_the_list(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built in, installed and configured, each with what its author says; a broken one too."""
    entry = EntryPoint("chat", "no_such_module_here:Chat", "ringpost.handlers")
    monkeypatch.setattr(lookup, "entry_points", lambda group: [entry] * (group == entry.group))
    found = json.loads(handlers("list", "--json").stdout)
    sources = {(one["name"], one["source"]) for one in found}
    assert sources == {
        *((name, "built in") for name in BUILT_IN),
        ("chat", "installed"),
        *((name, "configured") for name in ("program", "broken", "mail")),
    }
    said = {one["name"]: one["about"] for one in found}
    assert said["program"] == "Runs a program on this machine, without a shell."
    assert "no_such_module_here" in said["chat"]
    assert "Sends each message as a mail" in handlers("list").stdout


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_option_has_a_meaning(name: str) -> None:
    """Each built-in says in words what it does, and of each option its type and meaning."""
    shown = json.loads(handlers("show", name, "--json").stdout)
    assert shown["about"].endswith(".")
    for option in shown["options"]:
        assert option["about"].endswith("."), option
        assert " " in option["type"] or option["type"].islower(), option


def test_show(here: Path) -> None:
    """Of a configured handler the options of its kind are shown, never its values."""
    text = handlers("show", "mail").stdout
    assert text.startswith("mail (email): Sends each message as a mail.")
    assert re.search(r"^smtp +text, a secret +must be given", text, re.MULTILINE)
    assert re.search(r"^subject +template +-", text, re.MULTILINE)
    assert "hush" not in text
    assert "put it last" in handlers("show", "mark-read").stdout
    assert refusal("show", "emial").startswith('"emial" is no handler; did you mean "email"?')


def test_beside_an_instance_that_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that only the running instance knows, as those of the demonstration, are known."""
    monkeypatch.delenv("CODE")
    monkeypatch.setenv("RINGPOST_DATA", str(here / "data"))
    data = DataDirectory(here / "data")
    data.prepare()
    assert "CODE" in refusal("list")
    with data.held():
        data.describe({"CODE": "75"})
        assert handlers("list").exit_code == 0
        assert handlers("show", "mail").exit_code == 0
        assert handlers("try", "program", "--message", "message.json").exit_code == 0


def test_try_for_real(here: Path) -> None:
    """A message in a file goes through it with the files beside it; its words are shown."""
    assert handlers("try", "program", "--message", "message.json").stdout == "1\n"
    (here / "document-501.pdf").unlink()
    words = refusal("try", "program", "--message", "message.json")
    assert "document-501.pdf: the attachment is not there" in words


def test_try_without_effect(here: Path) -> None:
    """Templates are filled in, files named, and nothing goes out."""
    shown = handlers("try", "mail", "--message", "message.json", "--dry-run", "--on", "read").stdout
    assert "subject: Fax from +16505550100 (read)\n" in shown
    assert "files: document-501.pdf\n" in shown
    assert "text:" not in shown  # not set: the mail has words of its own
    assert shown.endswith("nothing was done: without --dry-run it is done for real\n")


def test_what_a_failure_would_mean(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a worker would try again is said, and the exit code is 1."""
    words = ("try", "broken", "--message", "message.json")
    assert refusal(*words) == "no paper; a worker would try again later"
    monkeypatch.setenv("CODE", "3")
    assert refusal(*words) == "sh ended with 3: no paper; a worker would give up"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("progam", "--message", "message.json"), 'did you mean "program"?'),
        (("program", "--message", "gone.json"), "gone.json: cannot be read"),
        (("program", "--message", "ringpost.toml"), "ringpost.toml: is not JSON"),
        (("program", "--message", "list.json"), "is no message"),
        (("mark-read", "--message", "message.json"), "give --message the id of a message there"),
        (("program", "--message", "message.json", "--on", "red"), 'did you mean "read"?'),
    ],
)
def test_mistakes(here: Path, words: tuple[str, ...], said: str) -> None:
    """Each gives one line with the remedy."""
    (here / "list.json").write_text("[1]")
    assert said in refusal("try", *words)


async def test_who_has_said_stop(
    here: Path, ringcentral: RingCentral, environ: dict[str, str], redis_url: str
) -> None:
    """A trial texts nobody who has said STOP to the workers either."""
    route = '[[routes]]\nname = "r"\nsteps = ["answer"]\n'
    reply = '[handlers.answer]\nuse = "reply"\ntext = "Hello"\n'
    await asyncio.to_thread((here / "ringpost.toml").write_text, reply + route)
    sms = await ringcentral.receives_sms("Hello", sender="+16505550199")
    stop = {"id": 1, "type": "SMS", "direction": "Inbound", "subject": "STOP"}
    said = Message.model_validate({**stop, "from": {"phoneNumber": "+16505550199"}})
    async with open_ledger(redis_url) as ledger:
        mailbox = Mailbox(ringcentral.account_id, "1")
        await ledger.consents.note(mailbox, [said])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "handlers", "try", "answer"),
        *("--message", str(sms["id"])),
        cwd=here,
        env={**environ, "REDIS_URL": redis_url},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 100)
    assert out.decode() == "not answered: the number has said STOP\n"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    """A mail server and its address."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield inbox, f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


async def test_links(
    here: Path, inbox: tuple[Inbox, str], redis_url: str, environ: dict[str, str]
) -> None:
    """A mail that only points has a link that opens, as if a worker had sent it."""
    mailed, smtp = inbox
    private = f"""
[handlers.private]
use = "email"
smtp = "{smtp}"
from = "a@example.com"
to = ["b@example.com"]
content = "link"
[[routes]]
name = "r"
steps = ["private"]
"""
    await asyncio.to_thread((here / "ringpost.toml").write_text, private)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "handlers", "try", "private"),
        *("--message", "message.json"),
        cwd=here,
        env={**environ, "REDIS_URL": redis_url, "LINKS_URL": "http://127.0.0.1:1"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert out.decode() == "mailed to 1 recipient, with 2 links\n"
    [mail] = mailed.mails
    text = mail.get_body(("plain",))
    assert text is not None
    [link] = re.findall(r"http://127\.0\.0\.1:1/[\w-]+", str(text.get_content()))
    token = LinkToken.parse(link.rpartition("/")[2])
    assert token is not None
    async with open_ledger(redis_url) as ledger:
        assert await ledger.links.is_open(token.id)


async def test_a_message_of_the_mailbox(
    here: Path, ringcentral: RingCentral, environ: dict[str, str]
) -> None:
    """By its id a message is fetched with its files, and one that changes the mailbox does."""
    fax = await ringcentral.receives_fax()

    async def run(name: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ringpost", "handlers", "try", name),
            *("--message", str(fax["id"])),
            cwd=here,
            env={**environ, "CODE": "0"},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 100)
        return out.decode().strip()

    assert list(await asyncio.gather(run("program"), run("mark-read"))) == ["1", "marked read"]
    assert ringcentral.message(fax["id"])["readStatus"] == "Read"
