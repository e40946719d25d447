"""A step that deletes is refused unless the same messages are archived."""

from pathlib import Path

import pytest

from worker.handlers.loading import load_all
from worker.problems import ConfigurationError

HANDLERS = """
[handlers.vault]
use = "archive"
to = "file:///srv/messages"
[handlers.tidy]
use = "delete"
after = "30d"
"""
EVERYTHING = '[[routes]]\nname = "all"\nsteps = ["vault"]\n'
FAXES = '[[routes]]\nname = "faxes"\nmatch.type = "Fax"\nsteps = ["tidy"]\n'


def load(folder: Path, text: str) -> None:
    path = folder / "ringpost.toml"
    path.write_text(text + HANDLERS)
    load_all(path, {})


@pytest.mark.parametrize(
    "routes",
    [
        EVERYTHING + FAXES,
        FAXES + EVERYTHING,
        FAXES.replace('["tidy"]', '["vault", "tidy"]'),
        FAXES.replace('["tidy"]', '["vault", "mark-read", "delete"]'),
        EVERYTHING.replace("steps", 'on = ["created", "Read"]\nsteps')
        + FAXES.replace("match", 'on = "read"\nmatch'),
    ],
)
def test_archived_first(routes: str, tmp_path: Path) -> None:
    """By an earlier step of the route, or by a route that is for every message."""
    load(tmp_path, routes)


@pytest.mark.parametrize(
    "routes",
    [
        FAXES,
        EVERYTHING.replace("steps", 'match.type = "Fax"\nsteps') + FAXES,
        EVERYTHING.replace("steps", 'on = ["read"]\nsteps') + FAXES,
        EVERYTHING + FAXES.replace("match", 'on = ["created", "read"]\nmatch'),
    ],
)
def test_not_archived(routes: str, tmp_path: Path) -> None:
    """One clear line says which step of which route, and what to do."""
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path, routes)
    [line] = error.value.problems
    assert line.endswith(
        'ringpost.toml: [[routes]] "faxes" "steps", entry 1: "tidy" deletes messages that nothing '
        "has archived; put an archive step before it in this route, or into a route without match"
    )


def test_what_ends_the_search_comes_between(tmp_path: Path) -> None:
    """A route for all messages that stands after a `then` is not for all."""
    with pytest.raises(ConfigurationError, match='"tidy" deletes messages'):
        load(tmp_path, FAXES + 'then = "stop"\n' + EVERYTHING)
