"""docs/routes.md says what is true."""

import re
import tomllib
from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.configuration import load
from worker.facts import FACTS
from worker.handlers.loading import load_all
from worker.happenings import WORDS
from worker.problems import ConfigurationError
from worker.routes import Route, matching

DOC = Path(__file__).parents[3] / "docs" / "routes.md"
TEXT = DOC.read_text()
HANDLERS = """
[handlers.vault]
use = "archive"
to = "file:///srv/messages"
[handlers.office-mail]
use = "email"
smtp = "smtp://localhost"
from = "a@example.com"
to = ["b@example.com"]
"""


BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def rows() -> list[tuple[str, str, str]]:
    found = re.findall(r"^\| (`.+?`) \| (.+?) \| (yes|no) \|$", TEXT, re.MULTILINE)
    return [(condition.strip("`"), message, holds) for condition, message, holds in found]


def test_there_are_examples() -> None:
    """The table of examples is found and covers every key but the simplest."""
    keys = {condition.split()[0] for condition, _, _ in rows()}
    assert FACTS.keys() - keys == {"direction", "extension"}
    assert len(rows()) >= 20


@pytest.mark.parametrize(("condition", "message", "holds"), rows())
def test_example(condition: str, message: str, holds: str) -> None:
    """Each example of the table holds or not, as it says."""
    fields = tomllib.loads("\n".join(re.findall(r"`(.+?)`", message)))
    match = tomllib.loads(condition)
    route = Route.model_validate({"name": "x", "match": match, "steps": ["y"]})
    found = matching([route], Message.model_validate({"id": "1", **fields}), Mailbox("1", "2"))
    assert bool(found) is (holds == "yes")


def test_the_first_example_loads(tmp_path: Path) -> None:
    """The configuration at the top is accepted, handlers and all."""
    path = tmp_path / "ringpost.toml"
    path.write_text(HANDLERS + BLOCKS[0])
    configuration, handlers = load_all(path, {})
    assert len(configuration.routes) == 2
    assert handlers.keys() == {"vault", "office-mail", "mark-read"}


def test_every_example_loads(tmp_path: Path) -> None:
    """All that is shown is accepted, and every word that a route can be on is explained."""
    path = tmp_path / "ringpost.toml"
    path.write_text("\n".join([*BLOCKS, HANDLERS]))
    configuration, _ = load_all(path, {})
    assert {word for route in configuration.routes for word in route.on} == set(WORDS)
    for word in WORDS:
        assert re.search(rf"^\| `{word}` \| ", TEXT, re.MULTILINE), word


def test_the_mistakes_are_told_so(tmp_path: Path) -> None:
    """The lines under "Mistakes" are what those mistakes give, word for word."""
    path = tmp_path / "ringpost.toml"
    wrong = HANDLERS.replace("smtp =", "smpt =") + (
        '[[routes]]\nname = "Faxes reach the office"\nmatch.type = "Facs"\n'
        'steps = ["office-mail", "mark-red"]\n'
    )
    path.write_text(wrong)
    with pytest.raises(ConfigurationError) as error:
        load_all(path, {})
    said = {line.replace(f"{tmp_path}/", "") for line in error.value.problems}
    assert said == set(re.findall(r"^ringpost\.toml: .+$", TEXT, re.MULTILINE))


def test_the_documented_values_are_those_known() -> None:
    """The values in the table of keys are those the reader accepts."""
    for key, fact in FACTS.items():
        (meaning,) = re.findall(rf"^\| `{key}` \| (.+) \|$", TEXT, re.MULTILINE)
        if fact.known:
            assert tuple(dict.fromkeys(re.findall(r"`(\w+)`", meaning))) == fact.known


def test_load_is_what_check_uses(tmp_path: Path) -> None:
    """A table `[routes.match]` and dotted keys give the same route."""
    path = tmp_path / "ringpost.toml"
    dotted = '[[routes]]\nname = "x"\nmatch.type = "Fax"\nsteps = ["mark-read"]\n'
    path.write_text(dotted)
    first = load(path, {}).routes
    path.write_text('[[routes]]\nname = "x"\nsteps = ["mark-read"]\n[routes.match]\ntype = "Fax"\n')
    assert load(path, {}).routes == first
