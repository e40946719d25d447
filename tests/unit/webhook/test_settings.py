"""The webhook's settings: where they come from and what is said when they are unusable."""

from pathlib import Path

import pytest

from webhook.settings import ConfigurationError, broker_url, load

TOKEN = "A1b2C3d4E5f6G7h8"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete environment and a working directory without `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT", "WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEBHOOK_VERIFICATION_TOKEN", TOKEN)
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")


def test_defaults() -> None:
    """With nothing but a token and a broker it listens on 0.0.0.0:8080 for /webhook."""
    settings = load()
    assert (settings.host, settings.port, settings.path) == ("0.0.0.0", 8080, "/webhook")
    assert settings.tokens == (TOKEN,)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://example.com/hooks/ringcentral", "/hooks/ringcentral"),
        ("https://example.com", "/"),
        ("https://example.com/a/?auth_token=secret", "/a/"),
        ("https://example.com/a%20b/{c}", "/a%20b/%7Bc%7D"),
        ("http://127.0.0.1:8080/webhook", "/webhook"),
        ("", "/webhook"),
    ],
)
def test_path_is_that_of_the_public_address(
    address: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RingCentral posts to the path of WEBHOOK_URL."""
    monkeypatch.setenv("WEBHOOK_URL", address)
    assert load().path == path


def test_two_tokens_while_rotating(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tokens are separated by a comma, the new one first, and do not show in a repr."""
    monkeypatch.setenv("WEBHOOK_VERIFICATION_TOKEN", f"{'n' * 64}, {TOKEN}")
    assert load().tokens == ("n" * 64, TOKEN)
    assert TOKEN not in repr(load())


def test_dotenv_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.env` file in the working directory fills what the environment leaves out."""
    (tmp_path / ".env").write_text("PORT=9001\nHOST=127.0.0.1\nRC_CLIENT_ID=another's\n")
    monkeypatch.setenv("HOST", "::1")
    assert (load().host, load().port) == ("::1", 9001)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("WEBHOOK_VERIFICATION_TOKEN", None, "WEBHOOK_VERIFICATION_TOKEN is not set: set it to"),
        ("WEBHOOK_VERIFICATION_TOKEN", "", "WEBHOOK_VERIFICATION_TOKEN is not set: set it to"),
        ("WEBHOOK_VERIFICATION_TOKEN", "sesame", "must be 16 to 64 letters and digits"),
        ("WEBHOOK_VERIFICATION_TOKEN", "s-e-s-a-m-e-s-e-s", "must be 16 to 64 letters and digits"),
        ("WEBHOOK_VERIFICATION_TOKEN", "s" * 65, "must be 16 to 64 letters and digits"),
        ("WEBHOOK_VERIFICATION_TOKEN", f"{TOKEN},", "must be 16 to 64 letters and digits"),
        ("WEBHOOK_VERIFICATION_TOKEN", ",".join([TOKEN] * 3), "two, separated by a comma"),
        ("REDIS_URL", None, "REDIS_URL is not set: set it to the broker"),
        (
            "REDIS_URL",
            "localhost:6379",
            'REDIS_URL "localhost:6379": must be such as redis://localhost:6379/0',
        ),
        (
            "REDIS_URL",
            "redis://:s-e-s@host:abc/0?password=sesame",
            'REDIS_URL "redis://***@host:abc/0": must be such as redis://localhost:6379/0',
        ),
        ("REDIS_URL", "redis://[::1/0", 'REDIS_URL "redis://[::1/0": must be such as'),
        ("REDIS_URL", "redis://host/zero", 'REDIS_URL "redis://host/zero": must be such as'),
        ("PORT", "http", 'PORT "http" must be a number from 0 to 65535'),
        ("PORT", "70000", 'PORT "70000" must be a number from 0 to 65535'),
        (
            "WEBHOOK_URL",
            "example.com/webhook?auth_token=sesame",
            'WEBHOOK_URL "example.com/webhook": must be a whole address',
        ),
        (
            "WEBHOOK_URL",
            "https://example.com:abc/webhook",
            'WEBHOOK_URL "https://example.com:abc/webhook": must be a whole address',
        ),
        ("WEBHOOK_URL", "ftp://example.com/webhook", "must be a whole address"),
        (
            "WEBHOOK_URL",
            "https://example.com/healthz",
            "its path must not be /healthz",
        ),
    ],
)
def test_unusable_settings_are_one_line_with_the_remedy(
    name: str, value: str | None, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be used is named with its remedy in one line, and never quoted if secret."""
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refusal:
        load()
    assert str(refusal.value).startswith(name)
    assert remedy in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "s-e-s" not in str(refusal.value)
    assert "sesame" not in str(refusal.value)


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two unusable settings are two lines."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("PORT", "x")
    with pytest.raises(ConfigurationError) as refusal:
        load()
    assert sorted(line.split()[0] for line in str(refusal.value).splitlines()) == [
        "PORT",
        "REDIS_URL",
    ]


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://:pw@host:1/2", "redis://:pw@host:1/2"),
        ("rediss://host/0", "rediss://host/0"),
        ("unix:///run/r.sock?db=3", "redis+socket:///run/r.sock?virtual_host=3"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
    ],
)
def test_broker_url_is_spelled_as_kombu_wants_it(redis_url: str, expected: str) -> None:
    """A unix socket has another spelling in kombu; all else stays as it is."""
    assert broker_url(redis_url) == expected
