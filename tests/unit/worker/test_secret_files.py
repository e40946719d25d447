"""Values from a folder of secrets."""

from pathlib import Path

import pytest

from worker.configuration import load
from worker.problems import ConfigurationError

FILE = """
[handlers.vault]
use = "archive"
to = "${PLACE}"
[[routes]]
name = "x"
steps = ["vault"]
"""


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "PLACE").write_text("file:///from/file\n")
    (tmp_path / "ringpost.toml").write_text(FILE)
    return folder


def place(secrets: Path, **environ: str) -> object:
    configuration = load(secrets.parent / "ringpost.toml", environ)
    return configuration.handlers["vault"].options["to"]


def test_the_content_of_a_file_is_the_value(secrets: Path) -> None:
    """Without the line end after it; the environment wins."""
    assert place(secrets, RINGPOST_SECRETS=str(secrets)) == "file:///from/file"
    assert place(secrets, RINGPOST_SECRETS=str(secrets), PLACE="file:///x") == "file:///x"


def test_what_is_not_there_is_not_set(secrets: Path) -> None:
    """A name without a file is told as a variable that is not set, with the nearest."""
    (secrets / "PLACE").rename(secrets / "PLAICE")
    with pytest.raises(ConfigurationError, match='"PLACE" is not set; did you mean "PLAICE"'):
        place(secrets, RINGPOST_SECRETS=str(secrets))


def test_a_folder_that_is_not_there(secrets: Path) -> None:
    """One line says which variable names it."""
    with pytest.raises(ConfigurationError) as error:
        place(secrets, RINGPOST_SECRETS="/no/such/folder")
    assert error.value.problems == (
        "RINGPOST_SECRETS /no/such/folder: cannot be read: No such file or directory; "
        "name a folder",
    )


def test_a_file_that_is_no_text(secrets: Path) -> None:
    """Its name is told, and nothing of its content."""
    (secrets / "PLACE").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(ConfigurationError) as error:
        place(secrets, RINGPOST_SECRETS=str(secrets))
    assert error.value.problems == (
        f"{secrets}/PLACE: cannot be read: it is not UTF-8 text; it is to hold a secret",
    )
