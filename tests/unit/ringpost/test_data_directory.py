"""The data directory: its lock, its token, and what it tells other terminals."""

import json
from pathlib import Path

import pytest

from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal


def test_the_token_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """It is 16 to 64 letters and digits, the same the next time, in a file with mode 0600."""
    data = DataDirectory(tmp_path)
    token = data.verification_token()
    assert token.isalnum()
    assert 16 <= len(token) <= 64
    assert DataDirectory(tmp_path).verification_token() == token
    assert (tmp_path / "verification-token").stat().st_mode & 0o777 == 0o600


def test_a_damaged_token_is_refused(tmp_path: Path) -> None:
    """A file that was edited to nonsense gives a line with the remedy."""
    (tmp_path / "verification-token").write_text("too short")
    with pytest.raises(Refusal, match="delete it and a new one is made"):
        DataDirectory(tmp_path).verification_token()


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    """Nobody else may look into it."""
    DataDirectory(tmp_path / "new" / "data").prepare()
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_an_existing_directory_of_ours_is_closed(tmp_path: Path) -> None:
    """A folder that others may look into is tightened, and so is its lock."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "lock").touch(mode=0o644)
    data = DataDirectory(folder)
    data.prepare()
    assert folder.stat().st_mode & 0o777 == 0o700
    with data.held():
        assert (folder / "lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_a_directory_for_others_stays_open(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we stand, or everybody writes, others are not locked out."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    if mode == 0o755:
        monkeypatch.chdir(folder)
    DataDirectory(folder).prepare()
    assert folder.stat().st_mode & 0o7777 == mode


def test_a_running_instance_is_found_and_forgotten(tmp_path: Path) -> None:
    """While it is held others see its variables, in a private file; afterwards nothing."""
    data, other = DataDirectory(tmp_path), DataDirectory(tmp_path)
    assert other.running_environ() == {}
    with data.held():
        assert other.running_environ() == {}
        data.describe({"REDIS_URL": "unix:///x"})
        assert other.running_environ() == {"REDIS_URL": "unix:///x"}
        assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert other.running_environ() == {}
    assert not (tmp_path / "run.json").exists()


def test_what_a_killed_instance_left_is_ignored(tmp_path: Path) -> None:
    """A run.json that nobody stands behind says nothing."""
    (tmp_path / "lock").touch()
    (tmp_path / "run.json").write_text(json.dumps({"pid": 1, "environ": {"REDIS_URL": "x"}}))
    assert DataDirectory(tmp_path).running_environ() == {}


@pytest.mark.parametrize("text", ["", "[]", '{"environ": 3}', "{", '"x"', "{}"])
def test_a_strange_description_says_nothing(tmp_path: Path, text: str) -> None:
    """Whatever stands in run.json, a command does not fail over it."""
    data = DataDirectory(tmp_path)
    with data.held():
        (tmp_path / "run.json").write_text(text)
        assert DataDirectory(tmp_path).running_environ() == {}
