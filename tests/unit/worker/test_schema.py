"""The schema takes every right configuration, and editors see most mistakes by it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from typer.testing import CliRunner

from message_store.message import Message
from ringpost.__main__ import app
from ringpost.commands.init import CONFIGURATION
from ringpost.commands.schema import whole_schema
from worker.handlers.contract import Context, Handler
from worker.schema import schema

ROOT = Path(__file__).parents[3]
SCHEMA = whole_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
ROUTE = '[[routes]]\nname = "r"\nsteps = ["vault"]\n'


def mistake(text: str, validator: Draft202012Validator = VALIDATOR) -> str | None:
    values = json.loads(json.dumps(tomllib.loads(text), default=str))
    error = best_match(validator.iter_errors(values))
    return f"{'.'.join(map(str, error.absolute_path))}: {error.message}" if error else None


def test_it_is_a_schema() -> None:
    """By the rules of its draft; every handler that is built in is there."""
    Draft202012Validator.check_schema(SCHEMA)
    assert {"handler-email", "handler-webhook", "handler-archive"} <= SCHEMA["$defs"].keys()


@pytest.mark.parametrize(
    "text",
    [
        (ROOT / "deploy" / "ringpost.example.toml").read_text(),
        (ROOT / "ringpost" / "demo.toml").read_text(),
        CONFIGURATION,
        "",  # an included file may have anything or nothing
        'mailboxes = "all"',
        'mailboxes = ["~", "101"]',
        '[sync]\nstart = 2026-01-31\nsweep_interval = "1h 30m"',
        '[sync]\nsweep_interval = "${INTERVAL}"',
        '[sync]\nowner = "${OWNER}"\n[reconcile]\nrepair = "${REPAIR}"',
        ROUTE + 'then = "${THEN}"',
        'mailboxes = "${MAILBOXES}"',
        '[reconcile]\nevery = "never"\nat = 02:00:00',
        ROUTE + 'match.type = "fax"',
        ROUTE + 'match.type = ["FAX", "S*", "/^vo/"]',
        ROUTE + 'on = "read"',
        ROUTE + 'on = ["Created", "deleted"]',
        ROUTE + 'match.not = {any = [{type = "Fax"}, {from = "@vip"}]}',
        ROUTE + 'if = "message.pages > 3"\nonce_per = "1d"\nwait.transcript = "4m"\nthen = "stop"',
        '[hours.office]\nzone = "Europe/Berlin"\nopen = "Mon-Fri 09:00-17:00"\nholidays = "h.txt"',
        '[handlers.a]\nuse = "package.module:Class"\nanything = 1',
        '[handlers.a]\nlike = "b"\nsubject = "x"',
        '[handlers.a]\nuse = "email"\nlike = "b"\nsubject = "x"',
        '[[tests]]\nname = "t"\ngiven = {type = "Fax"}\nat = 2026-01-31T10:00:00Z\nexpect = []',
    ],
)
def test_what_is_right(text: str) -> None:
    """Nothing is marked."""
    assert mistake(text) is None


def shown() -> list[str]:
    """All that is shown of `ringpost.toml` in docs, and the recipes."""
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "plugin-template" not in page.parts]
    blocks = [
        block
        for page in (*pages, ROOT / "README.md")
        for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
        if not block.startswith("[project")
    ]
    return [*blocks, *(path.read_text() for path in (ROOT / "docs" / "recipes").glob("*.toml"))]


def test_what_the_docs_show_is_right() -> None:
    """An editor marks nothing in what is copied from them."""
    assert [(text, wrong) for text in shown() if (wrong := mistake(text))] == []
    assert len(shown()) > 40


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mailboxs = 3", "mailboxs"),
        ('mailboxes = "some"', "mailboxes"),
        ('[sync]\nsweep_interval = "soon"', "sync.sweep_interval"),
        ('[sync]\nowner = "me"', "sync.owner"),
        ("[reconcile]\nrepair = 3", "reconcile.repair"),
        (ROUTE + 'match.type = "Facs"', "routes.0.match.type"),
        (ROUTE + 'match.tipe = "Fax"', "tipe"),
        (ROUTE + 'match.not = {typo = "Fax"}', "typo"),
        (ROUTE + 'on = "red"', "routes.0.on"),
        (ROUTE + 'then = "halt"', "routes.0.then"),
        (ROUTE + 'once_per = "often"', "routes.0.once_per"),
        ('[[routes]]\nname = "r"', "'steps' is a required property"),
        ('[routes]\nname = "r"', "routes"),
        ('[handlers.a]\nto = "x"', "handlers.a"),
        ('[handlers.a]\nuse = "emial"', "handlers.a.use"),
        ('[handlers.a]\nuse = "archive"\nto = "x"\nkep = "7y"', "kep"),
        ('[handlers.a]\nuse = "email"\nfrom = "a@b"\nto = ["a@b"]', "'smtp' is a required"),
        ('[handlers.a]\nuse = "archive"\nto = 3', "handlers.a.to"),
        ('[handlers."a b"]\nuse = "mark-read"', "a b"),
        ('[[tests]]\nname = "t"\ngiven = {}', "'expect' is a required property"),
    ],
)
def test_what_is_wrong(text: str, words: str) -> None:
    """It is marked at its place."""
    assert words in (mistake(text) or "nothing is wrong")


def test_a_plug_in_is_described_by_its_docstrings() -> None:
    """Its options with their words and defaults, as they are written in a file."""

    class Chat(Handler, arbitrary_types_allowed=True):
        """Says it in a chat."""

        room: str
        """Which room."""
        often: bool = False
        zone: ZoneInfo | None = None

        async def handle(self, message: Message, context: Context) -> str:
            return ""

    whole = schema({"chat": Chat})
    found: dict[str, Any] = whole["$defs"]["handler-chat"]
    assert found["description"] == "Says it in a chat."
    assert found["properties"]["room"] == {"type": "string", "description": "Which room."}
    often = {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\$\{"}]}
    assert found["properties"]["often"] == {**often, "default": False}
    validator = Draft202012Validator(whole)
    assert mistake('[handlers.a]\nuse = "chat"\nroom = "x"', validator) is None
    wrong = mistake('[handlers.a]\nuse = "chat"\nroom = "x"\nodd = 1', validator)
    assert "'odd' was unexpected" in (wrong or "")


def test_a_plug_in_may_be_called_as_it_likes() -> None:
    """Also as a table of the configuration is."""

    class Match(Handler):
        """Strikes one."""

        async def handle(self, message: Message, context: Context) -> str:
            return ""

    validator = Draft202012Validator(schema({"light a match": Match}))
    text = ROUTE + 'match.type = "fax"\n[handlers.a]\nuse = "light a match"\n'
    assert mistake(text, validator) is None
    assert "odd" in (mistake(text + "odd = 1", validator) or "")


def test_every_key_of_routes_and_settings_is_described() -> None:
    """An editor shows what it is for."""
    undescribed = [
        f"{name}.{key}"
        for name in ("Match", "Route", "Sync", "Subscriptions", "Reconcile", "RouteTest")
        for key, one in SCHEMA["$defs"][name]["properties"].items()
        if not one.get("description")
    ]
    assert undescribed == []
    assert SCHEMA["$defs"]["Sync"]["properties"]["sweep_interval"]["default"] == "15m"


def test_the_command_prints_it_and_init_writes_it(tmp_path: Path) -> None:
    """Where the first line of the new file says."""
    printed = CliRunner().invoke(app, ["schema"])
    assert json.loads(printed.stdout) == SCHEMA
    path = tmp_path / "ringpost.toml"
    assert CliRunner().invoke(app, ["init", "--config", str(path)]).exit_code == 0
    first = path.read_text().splitlines()[0]
    written = path.parent / first.removeprefix("#:schema ")
    assert json.loads(written.read_text()) == SCHEMA


def test_handlers_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the configuration uses are known with their options, others may have any."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_chat.py").write_text(
        "from ringpost.handlers import Duration, Handler\n"
        "class Chat(Handler):\n"
        "    pause: Duration\n"
        "    async def handle(self, message, context):\n"
        "        return 'said'\n"
    )
    config = tmp_path / "ringpost.toml"
    route = '[[routes]]\nname = "r"\nsteps = ["chat"]\n'
    config.write_text('[handlers.chat]\nuse = "own_chat:Chat"\npause = "15m"\n' + route)
    printed = CliRunner().invoke(app, ["schema", "--config", str(config)])
    validator = Draft202012Validator(json.loads(printed.stdout))
    assert mistake(config.read_text(), validator) is None
    assert mistake('[handlers.chat]\nuse = "own_chat:Chat"\npaus = "15m"\n', validator)
    assert mistake('[handlers.chat]\nuse = "own_chat:Other"\npaus = "15m"\n', validator) is None
