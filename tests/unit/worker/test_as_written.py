"""Numbers, truth and times are as they are written, for the program as for editors."""

import json
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from message_store.message import Message
from worker.handlers.contract import Context, Handler
from worker.handlers.loading import load_all
from worker.problems import ConfigurationError
from worker.schema import schema

ROUTE = '[[routes]]\nname = "r"\nsteps = ["x"]\n'


class Odd(Handler):
    """Has an option of each kind, and one below a table."""

    count: int = 1
    share: float | None = None
    loud: bool = False
    pause: timedelta | None = None
    day: date | None = None
    by_room: dict[str, int] = Field(default_factory=dict)

    async def handle(self, message: Message, context: Context) -> str:
        return ""


HANDLER = f'[handlers.x]\nuse = "{__name__}:Odd"\n'
VALIDATOR = Draft202012Validator(schema({f"{__name__}:Odd": Odd}))


def line_of(text: str, folder: Path) -> str | None:
    """What the program says of a file, None if it takes it."""
    path = folder / "ringpost.toml"
    path.write_text(text)
    try:
        load_all(path, {"LOUD": "yes", "COUNT": "4", "WORD": "some"})
    except ConfigurationError as error:
        return str(error).removeprefix(f"{path}: ")
    return None


def is_marked(text: str) -> bool:
    """Whether an editor marks something."""
    return not VALIDATOR.is_valid(json.loads(json.dumps(tomllib.loads(text), default=str)))


@pytest.mark.parametrize(
    "option",
    [
        "count = 4",
        "share = 4",
        "share = 0.5",
        "loud = true",
        "by_room = {a = 4}",
        'pause = "15m"',
        "day = 2026-12-24",
        'day = "2026-12-24"',
        'count = "${COUNT}"',
        'share = "${COUNT}"',
        'loud = "${LOUD}"',
        'by_room = {a = "${COUNT}"}',
    ],
)
def test_what_is_right(option: str, tmp_path: Path) -> None:
    """The program takes it, be it from a variable, and editors mark nothing."""
    text = f"{HANDLER}{option}\n{ROUTE}"
    assert line_of(text, tmp_path) is None
    assert not is_marked(text)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ('count = "4"', '"count": must be a whole number, not "4"'),
        ("count = true", '"count": must be a whole number, not true'),
        ('share = "0.5"', '"share": must be a number, not "0.5"'),
        ("share = false", '"share": must be a number, not false'),
        ('loud = "yes"', '"loud": must be true or false, not "yes"'),
        ("loud = 1", '"loud": must be true or false, not a number'),
        ("pause = 900", '"pause": must be a length of time such as "15m", not a number'),
        (
            'pause = "PT15M"',
            '"pause": "PT15M" is not a length of time; write such as "90s", "15m", "2h" or "30d"',
        ),
        ("day = 86400", '"day": must be a valid date, not 86400'),
        ('by_room = {a = "4"}', '"by_room.a": must be a whole number, not "4"'),
    ],
)
def test_what_is_wrong(option: str, words: str, tmp_path: Path) -> None:
    """The program says so in one line, and editors mark it."""
    text = f"{HANDLER}{option}\n{ROUTE}"
    assert line_of(text, tmp_path) == f"[handlers.x] {words}"
    assert is_marked(text)


def test_a_variable_that_holds_something_else(tmp_path: Path) -> None:
    """The line shows its name, not what it holds."""
    text = f'{HANDLER}count = "${{WORD}}"\n{ROUTE}'
    wanted = '[handlers.x] "count": must be a whole number, not "${WORD}"'
    assert line_of(text, tmp_path) == wanted


@pytest.mark.parametrize("value", ['"yes"', "1"])
def test_tables_of_our_own(value: str, tmp_path: Path) -> None:
    """The same holds for them."""
    text = f"[reconcile]\nrepair = {value}\n{HANDLER}{ROUTE}"
    assert '"repair": must be true or false, not' in (line_of(text, tmp_path) or "")
    assert is_marked(text)
    text = f'[reconcile]\nrepair = "${{LOUD}}"\n{HANDLER}{ROUTE}'
    assert line_of(text, tmp_path) is None
