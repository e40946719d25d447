"""How a second terminal's command is led to the instance that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringpost.data_directory import DataDirectory
from ringpost.surroundings import running_settings

SHARED = {
    "REDIS_URL": "unix:///there/redis.sock",
    "RC_SERVER_URL": "http://127.0.0.1:8090",
    "RC_CLIENT_ID": "sandbox-client-id",
    "RC_CLIENT_SECRET": "sandbox-client-secret",
    "RC_JWT": "sandbox-jwt-credential",
    "RINGPOST_SANDBOX_URL": "http://127.0.0.1:8090",
}


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A demonstration that runs on the data directory, and an empty environment."""
    for name in (
        *SHARED,
        "RINGPOST_CONFIG",
        "RC_APP_CLIENT_ID",
        "RC_APP_CLIENT_SECRET",
        "RC_USER_JWT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGPOST_DATA", str(tmp_path))
    data = DataDirectory(tmp_path)
    with data.held():
        data.describe(SHARED | {"RINGPOST_CONFIG": "/there/demo.toml"})
        yield


def test_the_running_sandbox_and_redis_are_found() -> None:
    """Without any variable set the command asks what runs here."""
    settings = running_settings()
    assert settings.redis_url == SHARED["REDIS_URL"]
    assert settings.rc_server_url == SHARED["RC_SERVER_URL"]
    assert settings.has_credentials
    assert settings.config == Path("/there/demo.toml")


def test_own_credentials_are_not_mixed_with_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets credentials means RingCentral, not the sandbox."""
    monkeypatch.setenv("RC_JWT", "mine")
    settings = running_settings()
    assert settings.rc_server_url == "https://platform.ringcentral.com"
    assert settings.missing_credentials() == ("RC_CLIENT_ID", "RC_CLIENT_SECRET")
    assert settings.config == Path("ringpost.toml")


def test_the_configuration_that_runs_here_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `ringpost run --config FILE` nobody has to say it again; a file that is named wins."""
    monkeypatch.setenv("RC_JWT", "mine")
    DataDirectory(tmp_path).describe({"RINGPOST_CONFIG": "/there/office.toml"})
    assert running_settings().config == Path("/there/office.toml")
    monkeypatch.setenv("RINGPOST_CONFIG", "mistyped.toml")
    assert running_settings().config == Path("mistyped.toml")
    monkeypatch.delenv("RINGPOST_CONFIG")
    Path("ringpost.toml").touch()
    assert running_settings().config == Path("ringpost.toml")


def test_an_own_redis_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """REDIS_URL is obeyed where it is set."""
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    assert running_settings().redis_url == "redis://elsewhere/0"
