"""Handlers by name, and their options in the words of the file."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from worker.handlers import lookup
from worker.handlers.archive import Archive
from worker.handlers.built_in import BUILT_IN
from worker.handlers.contract import ClosingHandler, Handler
from worker.handlers.loading import AnyHandler, load_all
from worker.handlers.mark_read import MarkRead
from worker.problems import ConfigurationError

PLUGIN = """
from typing import Annotated, Literal
from pydantic import Field, SecretStr, field_validator
from ringpost.handlers import Context, Handler, Message

class Chat(Handler):
    url: str
    colour: Literal["red", "green"] = "red"
    size: int = Field(default=1, ge=1)
    loud: bool = False
    rooms: list[str] = Field(default=["hall"], min_length=1)
    password: SecretStr | None = None
    sender: str = Field(default="", alias="from")
    target: str | list[str] = "a"

    @field_validator("url")
    @classmethod
    def _checked(cls, url: str) -> str:
        if "boom" in url:
            raise RuntimeError("boom")
        if not url.startswith("https://"):
            raise ValueError(f"cannot talk to {url}")
        return url

    async def handle(self, message: Message, context: Context) -> str:
        return "said"

class Synchronous(Handler):
    def handle(self, message, context):
        return "posted"

class Unfinished(Handler):
    pass

class Other:
    pass
"""
NAMES = ", ".join(sorted(BUILT_IN))
BUILT = f"Built in are {NAMES}"
URL = 'url = "https://chat"\n'

Loaded = Callable[..., dict[str, AnyHandler]]


@pytest.fixture(autouse=True)
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("chatty.py").write_text(PLUGIN)
    Path("needy.py").write_text("import slack_sdk_of_tomorrow\n")
    Path("broken.py").write_text("def broken(:\n")
    Path("leaving.py").write_text("raise SystemExit('no smtps://user:pw@host')\n")
    for name in ("chatty", "needy", "broken", "leaving"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def loaded() -> Loaded:
    """The handlers of one table, and of a route with that step."""

    def load_table(lines: str, **environ: str) -> dict[str, AnyHandler]:
        route = '[[routes]]\nname = "r"\nsteps = ["chat"]\n'
        Path("ringpost.toml").write_text(f"[handlers.chat]\n{lines}\n{route}")
        return load_all(Path("ringpost.toml"), environ)[1]

    return load_table


def chat(lines: str) -> str:
    return f'use = "chatty:Chat"\n{lines}'


WRONG = [
    ('use = "emial"', f'"use": "emial" is no handler; did you mean "email"? {BUILT}'),
    ('use = "xyzzy"', f'"use": "xyzzy" is no handler; built in are {NAMES}'),
    (
        'use = "nowhere.plugin:Chat"',
        '"use": "nowhere.plugin:Chat" names a module that is not there, nowhere; '
        "install it beside Ringpost or set PYTHONPATH",
    ),
    (
        'use = "needy:Chat"',
        '"use": "needy:Chat" cannot be imported: needy needs slack_sdk_of_tomorrow; '
        "install that beside Ringpost",
    ),
    (
        'use = "broken:Chat"',
        '"use": "broken:Chat" cannot be imported: broken failed with '
        "SyntaxError: invalid syntax (broken.py, line 1)",
    ),
    (
        'use = "leaving:Chat"',
        '"use": "leaving:Chat" cannot be imported: leaving failed with '
        "SystemExit: no smtps://***@host",
    ),
    (
        'use = "chatty:Chatt"',
        '"use": "chatty:Chatt" names a class that chatty does not have; did you mean "Chat"?',
    ),
    (
        'use = "chatty:Other"',
        '"use": "chatty:Other" is no handler; make it a subclass of ringpost.handlers.Handler',
    ),
    (
        'use = "chatty:Unfinished"',
        '"use": "chatty:Unfinished" is no whole handler; it does not define handle',
    ),
    (
        'use = "chatty:Synchronous"',
        '"use": "chatty:Synchronous" is no whole handler; '
        "write `async def handle`, not `def handle`",
    ),
    (
        'use = "chatty.Chat"',
        f'"use": "chatty.Chat" is no handler; built in are {NAMES}; '
        'a class of your own is written "chatty:Chat"',
    ),
    (
        'use = "chatty:"',
        '"use": "chatty:" is no handler; write such as "package.module:Class"',
    ),
    (chat(""), '"url": is missing; add it'),
    (chat('ulr = "https://chat"'), '"ulr": unknown key; did you mean "url"?'),
    (chat(URL + 'form = "x"'), '"form": unknown key; did you mean "from"?'),
    (
        chat(URL + 'sender = "x"'),
        '"sender": unknown key; known are url, colour, size, loud, rooms, password, from, target',
    ),
    (chat("url = 3"), '"url": must be text, not a number; put it in quotes: "3"'),
    (chat('url = "ftp://chat"'), '"url": cannot talk to ftp://chat'),
    (chat('url = "${URL}"'), '"url": cannot talk to ${URL}'),
    (chat('url = "${LOGIN}@x"'), '"url": cannot talk to ${LOGIN}@x'),
    (
        chat('url = "boom"'),
        "its options cannot be checked: Chat failed with RuntimeError: boom",
    ),
    (chat(URL + 'colour = "gren"'), '"colour": "gren" is not known; did you mean "green"?'),
    (chat(URL + "size = 0"), '"size": must be greater than or equal to 1, not 0'),
    (chat(URL + 'size = "big"'), '"size": must be a whole number, not "big"'),
    (chat(URL + 'size = "${URL}"'), '"size": must be a whole number, not "${URL}"'),
    (chat(URL + 'loud = "very"'), '"loud": must be true or false, not "very"'),
    (
        chat(URL + 'rooms = "hall"'),
        '"rooms": must be a list, not text; put it in brackets: ["hall"]',
    ),
    (
        chat(URL + 'rooms = ["hall", 2]'),
        '"rooms", entry 2: must be text, not a number; put it in quotes: "2"',
    ),
    (
        chat(URL + "rooms = []"),
        '"rooms": list should have at least 1 item after validation, not 0',
    ),
    (chat(URL + "password = 12345"), '"password": must be text, not a number'),
    (chat(URL + "target = 5"), '"target": must be text, not a number; put it in quotes: "5"'),
    (
        'use = "archive"\nto = "s3://user:pw@bucket"',
        '"to": s3:// with more than bucket and folder; write s3://bucket/folder, and '
        "access_key_id and secret_access_key as options",
    ),
    (
        'use = "archive"\nto = "kept"\nlock = "7y"',
        "lock is for s3:// only; files cannot be locked",
    ),
    (
        'use = "archive"\nto = "kept"\nformat = ["json", "pdf"]',
        '"format", entry 2: "pdf" is not known; known are json, eml',
    ),
    (
        'use = "files"\nto = "kept"\nfolder = "{{ message.availability }}"',
        '"folder": availability may change, and the file would be there twice',
    ),
    (
        'use = "archive"\nto = "s3://bucket"\nlock_mode = "for ever"',
        '"lock_mode": "for ever" is not known; known are governance, compliance',
    ),
]


@pytest.mark.parametrize(("lines", "line"), WRONG)
def test_a_wrong_table_gives_its_line(loaded: Loaded, lines: str, line: str) -> None:
    """One mistake, one line, and nothing from the environment in it."""
    with pytest.raises(ConfigurationError) as error:
        loaded(lines, URL="hunter2://secret", LOGIN="hunter3")
    place = "ringpost.toml: [handlers.chat]"
    expected = f"{place} {line}" if line.startswith('"') else f"{place}: {line}"
    assert error.value.problems == (expected,)


def test_a_dotted_path(loaded: Loaded) -> None:
    """A class of somebody else's, its options filled in, texts of the environment converted."""
    handler = loaded(chat(URL + 'size = "${SIZE}"\nfrom = "me"'), SIZE="7")["chat"]
    assert isinstance(handler, Handler)
    assert handler.model_dump(include={"url", "size", "sender"}) == {
        "url": "https://chat",
        "size": 7,
        "sender": "me",
    }


def test_an_installed_plugin(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name from the entry points; one that nobody names is not imported."""

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint("chat", "chatty:Chat", group), EntryPoint("bad", "broken:Bad", group)]

    monkeypatch.setattr(lookup, "entry_points", entry_points)
    assert type(loaded('use = "chat"\n' + URL)["chat"]).__name__ == "Chat"
    with pytest.raises(ConfigurationError) as error:
        loaded('use = "chatt"')
    assert error.value.problems == (
        'ringpost.toml: [handlers.chat] "use": "chatt" is no handler; did you mean "chat"? '
        f"{BUILT}, installed are bad, chat",
    )


def write(steps: str, tables: str = "") -> Path:
    path = Path("ringpost.toml")
    path.write_text(f'{tables}\n[[routes]]\nname = "r"\nsteps = {steps}\n')
    return path


VAULT = '[handlers.vault]\nuse = "archive"\nto = "kept"\n'


def test_a_built_in_without_options_needs_no_table() -> None:
    """`mark-read` is its own table."""
    configuration, handlers = load_all(write('["vault", "mark-read"]', VAULT), {})
    assert isinstance(handlers["vault"], Archive)
    assert isinstance(handlers["mark-read"], MarkRead)
    assert [route.name for route in configuration.routes] == ["r"]


def test_a_built_in_with_options_needs_a_table() -> None:
    """The line says which one and with what."""
    with pytest.raises(ConfigurationError) as error:
        load_all(write('["archive"]'), {})
    assert error.value.problems == (
        "ringpost.toml: [handlers.archive]: is needed, because a step names it; "
        'write it with use = "archive" and to',
    )


def test_closing_steps_come_last() -> None:
    """A step after one that waits for all others could never run."""
    with pytest.raises(ConfigurationError) as error:
        load_all(write('["mark-read", "vault"]', VAULT), {})
    assert error.value.problems == (
        'ringpost.toml: [[routes]] "r" "steps", entry 2: "vault" stands after "mark-read", '
        "which waits for all other steps; put it before",
    )


def test_problems_of_the_file_and_of_handlers_are_told_together() -> None:
    """One run shows a wrong key at the top, in a table and in a route."""
    tables = 'mailboxs = []\n[handlers.vault]\nuse = "archive"\ntoo = "x"\n'
    with pytest.raises(ConfigurationError) as error:
        load_all(write('["mark-read", "vault", "valt"]', tables), {})
    assert [line.split(": ")[1] for line in error.value.problems] == [
        '"mailboxs"',
        '[[routes]] "r" "steps", entry 3',
        '[handlers.vault] "too"',
        '[[routes]] "r" "steps", entry 2',
    ]


def shared(*tables: str) -> str:
    return "".join(f"[handlers.{table}]\n{lines}\n" for table, lines in map(_split, tables))


def _split(table: str) -> tuple[str, str]:
    name, _, lines = table.partition(": ")
    return name, lines


def test_a_handler_that_is_like_another() -> None:
    """It has what the other has, and what that has of a third, but for what it says itself."""
    tables = shared(
        'chat: like = "loud"\nsize = 3',
        'loud: like = "plain"\nloud = true\nsize = 2',
        f'plain: use = "chatty:Chat"\n{URL}size = 1',
    )
    handlers = load_all(write('["chat", "plain"]', tables), {})[1]
    options = {name: handler.model_dump() for name, handler in handlers.items()}
    assert options["chat"] == options["plain"] | {"size": 3, "loud": True}
    assert options["loud"] == options["plain"] | {"size": 2, "loud": True}
    assert type(handlers["chat"]) is type(handlers["plain"])


def test_what_is_shared_is_wrong_once() -> None:
    """A mistake is told where it stands, not where others have it from; so is one's own."""
    tables = shared(
        'chat: like = "plain"\nsize = 0',
        'loud: like = "plain"\nloud = 3',
        f'plain: use = "chatty:Chat"\n{URL}colour = "blue"',
    )
    with pytest.raises(ConfigurationError) as error:
        load_all(write('["chat"]', tables), {})
    assert {line.split(": ")[1] for line in error.value.problems} == {
        '[handlers.plain] "colour"',
        '[handlers.chat] "size"',
        '[handlers.loud] "loud"',
    }
    assert len(error.value.problems) == 3


def test_a_handler_that_no_route_uses_is_checked_too() -> None:
    """It is built, and its mistakes are told."""
    assert load_all(write('["mark-read"]', VAULT), {})[1].keys() == {"vault", "mark-read"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_is_there(name: str) -> None:
    """The table of built-ins names classes that exist."""
    assert issubclass(lookup.find(name), Handler | ClosingHandler)


def test_nothing_heavy_is_imported_before_it_is_named() -> None:
    """Reading a configuration loads no Celery, Redis, HTTP or mail library, and no handler."""
    heavy = {"celery", "kombu", "redis", "aiohttp", "aiosmtplib", "worker.handlers.email"}
    code = (
        "import sys, worker.routes, worker.configuration, worker.handlers.loading;"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
