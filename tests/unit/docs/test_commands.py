"""What README and docs show is true: examples load, commands exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.__main__ import app
from ringpost.commands.init import CONFIGURATION, ENVIRONMENT
from ringpost.demo import CONFIGURATION as DEMO
from worker.configuration import Configuration
from worker.handlers.contract import ClosingHandler, Handler
from worker.handlers.loading import load_all
from worker.routes import matching

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
GROUPS = {"archive", "handlers", "messages", "routes", "sandbox", "subscriptions"}
SMTP = {"SMTP_URL": "smtps://user:password@mail.example.com"}


def commands() -> Iterator[tuple[str, str]]:
    """Every `ringpost ...` that a page shows, in a block or in a sentence."""
    for page in PAGES:
        text = page.read_text()
        lines = re.findall(r"^\s*(ringpost [a-z].*)$", text, re.MULTILINE)
        for found in [*lines, *re.findall(r"`(ringpost [a-z][^`]*)`", text)]:
            yield page.name, found.partition("  #")[0]


@pytest.mark.parametrize(("page", "command"), sorted(set(commands())))
def test_a_command_that_is_shown_exists(page: str, command: str) -> None:
    """The command and each option it is shown with are there."""
    words = shlex.split(command)[1:]
    depth = 2 if words[0] in GROUPS and len(words) > 1 else 1
    depth += words[:2] == ["archive", "hold"] and len(words) > 2
    answer = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words[:depth], "--help"])
    assert answer.exit_code == 0, f"{page}: {command}\n{answer.output}"
    for option in (word for word in words[depth:] if word.startswith("--")):
        assert option in answer.output, f"{page}: {command}"


def test_there_are_commands() -> None:
    """The pages are searched in the right way."""
    assert len(set(commands())) > 15


def test_the_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    """The nine lines load, and do what they say."""
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(block.splitlines()) == 9
    configuration, handlers = _load(tmp_path, block, SMTP)
    assert {*handlers} == {"office-mail", "mark-read"}
    fax = Message.model_validate({"id": 1, "type": "Fax", "direction": "Inbound"})
    (route,) = matching(configuration.routes, fax, Mailbox("1", "2"))
    assert route.name == "Faxes reach the office"


def test_what_init_writes_is_valid_with_and_without_its_comments(tmp_path: Path) -> None:
    """The example that is commented out is as right as the rest."""
    text = CONFIGURATION.replace("ARCHIVE", "file:///srv/messages")
    configuration, handlers = _load(tmp_path, text, {})
    assert [route.steps for route in configuration.routes] == [("vault",)]
    assert {"created", "transcribed", "deleted"} <= set(configuration.routes[0].on)
    head, marker, tail = text.partition("# Mail faxes")
    whole = head + marker + re.sub(r"^# ?", "", tail.partition("\n")[2], flags=re.MULTILINE)
    configuration, handlers = _load(tmp_path, whole, SMTP)
    assert [route.steps for route in configuration.routes][1:] == [("office-mail", "mark-read")]
    assert {*handlers} == {"vault", "office-mail", "mark-read"}


def test_the_variables_that_init_proposes_are_empty(tmp_path: Path) -> None:
    """A .env made of them says nothing yet: no comment is taken for a value."""
    from dotenv import dotenv_values

    path = tmp_path / ".env"
    path.write_text(ENVIRONMENT)
    assert set(dotenv_values(path).values()) == {""}


@pytest.mark.parametrize(
    ("message", "routes"),
    [
        ({"type": "SMS", "subject": "Hello, is the office open today?"}, 2),
        ({"type": "SMS", "subject": "Pictures.", "attachments": [{"id": 1}]}, 1),
        ({"type": "Fax"}, 2),
        ({"type": "VoiceMail"}, 2),
        ({"type": "Pager", "subject": "Are we open?"}, 1),
    ],
)
def test_the_demonstration_keeps_all_and_marks_some(
    tmp_path: Path, message: dict[str, object], routes: int
) -> None:
    """Its configuration is valid; the effect of its routes differs by message."""
    environ = {"DEMO_ARCHIVE": "file:///srv/messages", "DEMO_SMTP": "smtp://127.0.0.1:8025"}
    configuration, _ = _load(tmp_path, DEMO.read_text(), environ)
    found = matching(
        configuration.routes, Message.model_validate({"id": 1, **message}), Mailbox("1", "2")
    )
    assert len(found) == routes
    assert found[0].steps == ("vault",)


def _load(
    folder: Path, text: str, environ: dict[str, str]
) -> tuple[Configuration, dict[str, Handler | ClosingHandler]]:
    path = folder / "ringpost.toml"
    path.write_text(text)
    return load_all(path, environ)
