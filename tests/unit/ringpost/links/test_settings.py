"""Where links are opened."""

from pathlib import Path

import pytest

from ringpost.checks.local import check_links
from ringpost.links.settings import LinkSettings
from ringpost.refusal import Refusal


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("LINKS_URL", "http://links.example.com", "is no address at which people can open links"),
        ("LINKS_URL", "links.example.com", "is no address at which people can open links"),
        ("LINKS_PORT", "many", "must be a number from 1 to 65535"),
        ("LINKS_PORT", "0", "must be a number from 1 to 65535"),
    ],
)
def test_a_wrong_setting_is_refused(
    name: str, value: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the variable, the value and what is right in one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(Refusal) as refusal:
        LinkSettings()
    (told,) = refusal.value.lines
    assert told.startswith(f'{name} "{value}" {line}')


def test_links_are_off_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LINKS_URL there are none, and nobody but this machine could ask for one."""
    monkeypatch.chdir(tmp_path)
    settings = LinkSettings()
    assert settings.links_url is None
    assert settings.links_host == "127.0.0.1"


def test_check_says_where_links_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line where there are any, what is wrong where something is, else nothing."""
    monkeypatch.chdir(tmp_path)
    assert check_links() == []
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    (found,) = check_links()
    assert (
        found.words == "https://links.example.com, served on LINKS_HOST=127.0.0.1 LINKS_PORT=8082"
    )
    monkeypatch.setenv("LINKS_PORT", "many")
    (found,) = check_links()
    assert found.words == 'LINKS_PORT "many" must be a number from 1 to 65535'
