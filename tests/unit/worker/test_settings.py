"""The worker's settings from environment and `.env`."""

import os
from pathlib import Path

import pytest

from worker.problems import ConfigurationError
from worker.settings import Settings, broker_url, environment

JWT = "eyJhbGciOi.secret-jwt.signature"
TOKEN = "0123456789abcdefABCDEF"


@pytest.fixture(autouse=True)
def _empty_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("RC_", "RINGPOST_", "WEBHOOK_", "REDIS_")):
            monkeypatch.delenv(name)


def problems() -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as error:
        Settings()
    return error.value.problems


def test_defaults() -> None:
    """Nothing is required, and the defaults are the design's."""
    settings = Settings()
    assert settings.server.api == "https://platform.ringcentral.com"
    assert settings.server.media == "https://media.ringcentral.com"
    assert settings.config == Path("ringpost.toml")
    assert settings.data == Path("data")
    assert settings.lease_seconds == 30
    assert settings.redis_url is None
    assert settings.webhook_url is None
    assert settings.webhook_verification_token == ()
    assert settings.missing_credentials() == ("RC_CLIENT_ID", "RC_CLIENT_SECRET", "RC_JWT")
    assert not settings.has_credentials


@pytest.mark.parametrize(
    "names",
    [
        ("RC_CLIENT_ID", "RC_CLIENT_SECRET", "RC_JWT"),
        ("RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT"),
    ],
)
def test_credentials_have_two_names(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours and those of RingCentral's own samples; secrets stay out of repr."""
    for name in names:
        monkeypatch.setenv(name, JWT)
    settings = Settings()
    assert settings.has_credentials
    assert settings.rc_jwt is not None
    assert settings.rc_jwt.get_secret_value() == JWT
    assert repr(settings).count(JWT) == 1  # the id is not secret


def test_some_credentials_are_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named."""
    monkeypatch.setenv("RC_CLIENT_ID", "id")
    monkeypatch.setenv("RC_JWT", "")
    assert Settings().missing_credentials() == ("RC_CLIENT_SECRET", "RC_JWT")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of `.env.example` that nobody filled in changes nothing."""
    for name in ("RC_SERVER_URL", "REDIS_URL", "WEBHOOK_URL", "RINGPOST_LEASE"):
        monkeypatch.setenv(name, "")
    settings = Settings()
    assert settings.redis_url is None
    assert settings.lease_seconds == 30
    assert settings.server.api == "https://platform.ringcentral.com"


def test_passwords_stay_out_of_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of Redis may have one."""
    monkeypatch.setenv("REDIS_URL", "redis://:s3cr3t@redis:6379/0")
    assert "s3cr3t" not in repr(Settings())


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` is read, the environment wins, for settings and for `${NAME}` alike."""
    Path(".env").write_text("RC_CLIENT_ID=from-file\nRC_JWT=from-file\nSMTP_URL='smtp://a$b'\n")
    monkeypatch.setenv("RC_CLIENT_ID", "from-environment")
    settings = Settings()
    assert settings.rc_client_id == "from-environment"
    assert settings.rc_jwt is not None
    assert settings.rc_jwt.get_secret_value() == "from-file"
    assert environment()["SMTP_URL"] == "smtp://a$b"
    assert environment({"SMTP_URL": "x"})["SMTP_URL"] == "x"


def test_a_file_that_is_no_text() -> None:
    """A `.env` that cannot be read is one line."""
    Path(".env").write_bytes(b"RC_JWT=\xff\n")
    line = ".env: cannot be read: it is not UTF-8 text; correct it or take it away"
    assert problems() == (line,)
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        environment()


WRONG = [
    (
        "RC_SERVER_URL",
        "http://platform.ringcentral.com",
        'RC_SERVER_URL "http://platform.ringcentral.com" begins with http:// and would show the '
        "token to the network; use https://platform.ringcentral.com "
        "(http:// is for this machine only)",
    ),
    (
        "RC_MEDIA_URL",
        "media",
        'RC_MEDIA_URL "media" is not a server address; give it as https://platform.ringcentral.com',
    ),
    (
        "WEBHOOK_URL",
        "http://example.com/webhook?auth_token=s3cr3t",
        'WEBHOOK_URL "http://example.com/webhook" is no address that RingCentral can call; '
        "write the whole public address, such as https://example.com/webhook",
    ),
    (
        "WEBHOOK_VERIFICATION_TOKEN",
        "short",
        "WEBHOOK_VERIFICATION_TOKEN must be 16 to 64 letters and digits; "
        "two, separated by a comma, to rotate",
    ),
    (
        "REDIS_URL",
        "http://user:s3cr3t@redis",
        'REDIS_URL "http://***@redis" is no address of a Redis; write such as '
        "redis://localhost:6379/0, rediss:// with TLS, or unix:///run/redis.sock?db=0",
    ),
    (
        "RINGPOST_LEASE",
        "soon",
        'RINGPOST_LEASE "soon" must be a number of seconds, more than 0 and up to 3600, such as 30',
    ),
]


@pytest.mark.parametrize(("name", "value", "line"), WRONG)
def test_a_bad_value(name: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the variable and the remedy."""
    monkeypatch.setenv(name, value)
    assert problems() == (line,)


def test_bad_values_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, and no secret among them."""
    for name, value, _ in WRONG:
        monkeypatch.setenv(name, value)
    assert sorted(problems()) == sorted(line for _, _, line in WRONG)
    assert "s3cr3t" not in "".join(problems())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://127.0.0.1:abc/0", "redis://127.0.0.1:abc/0"),
        ("redis://127.0.0.1:99999/0", "redis://127.0.0.1:99999/0"),
        ("redis://127.0.0.1:6379/zero", "redis://127.0.0.1:6379/zero"),
        ("redis://:6379", "redis://:6379"),
        ("redis://[::1/0", "redis://[::1/0"),
        ("unix:///run/r.sock?db=x&password=s3cr3t", "unix:///run/r.sock"),
        ("redis://:s3cr3t/#?@:@host:1x/0", "redis://***@host:1x/0"),
        ("redis://u:s3 cr3t@host:1x/0?password=s3cr3t", "redis://***@host:1x/0"),
    ],
)
def test_a_redis_that_is_none(value: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Port and database are looked at; the address is shown without what may be secret."""
    monkeypatch.setenv("REDIS_URL", value)
    (line,) = problems()
    assert line.startswith(f'REDIS_URL "{shown}" is no address of a Redis; write such as')
    assert "cr3t" not in line


@pytest.mark.parametrize("value", ["https://example.com:abc/webhook", "https://[::1/webhook"])
def test_a_webhook_address_with_a_broken_host(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one line like any other."""
    monkeypatch.setenv("WEBHOOK_URL", value)
    (line,) = problems()
    assert line.startswith(f'WEBHOOK_URL "{value}" is no address that RingCentral can call')


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1", "3601"])
def test_a_lease_is_a_sane_number(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that are none, or make no sense, are refused."""
    monkeypatch.setenv("RINGPOST_LEASE", value)
    assert len(problems()) == 1


@pytest.mark.parametrize(
    ("written", "tokens"),
    [(TOKEN, [TOKEN]), (f"{TOKEN}, {TOKEN[::-1]}", [TOKEN, TOKEN[::-1]])],
)
def test_verification_tokens(
    written: str, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One, or two while rotating, the new one first."""
    monkeypatch.setenv("WEBHOOK_VERIFICATION_TOKEN", written)
    found = Settings().webhook_verification_token
    assert [token.get_secret_value() for token in found] == tokens


@pytest.mark.parametrize("url", ["http://localhost:8080/webhook", "http://127.0.0.1:1/webhook"])
def test_a_sandbox_may_call_without_tls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine http:// will do."""
    monkeypatch.setenv("WEBHOOK_URL", url)
    assert Settings().webhook_url == url


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://u:p@host/1", "rediss://u:p@host/1"),
        ("unix:///run/r.sock?db=3", "redis+socket:///run/r.sock?virtual_host=3"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
    ],
)
def test_broker(redis: str, broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unix socket is spelled as kombu wants it."""
    monkeypatch.setenv("REDIS_URL", redis)
    assert Settings().broker_url == broker
    assert broker_url(redis) == broker


def test_a_broker_is_asked_for() -> None:
    """Without REDIS_URL there is no broker, and the line says what to do."""
    with pytest.raises(ConfigurationError, match="REDIS_URL is not set; set it to the broker"):
        _ = Settings().broker_url
