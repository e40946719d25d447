"""The worker's settings: from the environment, else from `.env` in the working directory."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from message_store.server import Server
from worker.encryption import is_key
from worker.problems import ConfigurationError, Wrong, address, quoted

_ENV_FILE = ".env"
_RINGCENTRAL = "https://platform.ringcentral.com"
_TOKEN = re.compile(r"[0-9A-Za-z]{16,64}")
_CREDENTIALS = {
    "rc_client_id": "RC_CLIENT_ID",
    "rc_client_secret": "RC_CLIENT_SECRET",
    "rc_jwt": "RC_JWT",
}
# whose values may be shown: as addresses without their passwords, or as they are
_ADDRESSES = {"RC_SERVER_URL", "RC_MEDIA_URL", "WEBHOOK_URL", "REDIS_URL"}
_PLAIN = {"RINGPOST_CONFIG", "RINGPOST_DATA", "RINGPOST_LEASE"}


def _server(value: str) -> str:
    Server.of(value)  # says itself what is wrong, and with which variable
    return value


def _media(value: str) -> str:
    Server.of(_RINGCENTRAL, value)
    return value


def _tokens(value: object) -> object:
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if isinstance(parts, list) and not (
        len(parts) in {1, 2} and all(_TOKEN.fullmatch(part) for part in parts)
    ):
        raise Wrong("must be 16 to 64 letters and digits; two, separated by a comma, to rotate")
    return parts


def redis_address(value: str) -> str:
    """The value if it is the address of a Redis; raises Wrong."""
    if not _is_redis(value):
        raise Wrong(
            "is no address of a Redis; write such as redis://localhost:6379/0, rediss:// with TLS, "
            "or unix:///run/redis.sock?db=0"
        )
    return value


def _is_redis(value: str) -> bool:
    try:
        url = urlsplit(value)
        _ = url.port  # ValueError if it is none
        database = parse_qs(url.query).get("db", ["0"])[0]
        if url.scheme != "unix":
            database = url.path.strip("/") or database
    except ValueError:
        return False
    place = url.path if url.scheme == "unix" else url.hostname
    return url.scheme in {"redis", "rediss", "unix"} and bool(place) and database.isdecimal()


def _public(value: str) -> str:
    try:
        url = urlsplit(value)
        _ = url.port  # ValueError if it is none
    except ValueError:
        url = urlsplit("")
    host = url.hostname or ""
    here = host in {"localhost", "::1"} or host.startswith("127.")  # where a sandbox may call
    if not host or url.scheme not in ({"http", "https"} if here else {"https"}):
        raise Wrong(
            "is no address that RingCentral can call; write the whole public address, such as "
            "https://example.com/webhook"
        )
    return value


def _keys(value: object) -> object:
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if isinstance(parts, list) and not (parts and all(is_key(part) for part in parts)):
        raise Wrong(
            "must be 32 random bytes in base64 (openssl rand -base64 32); while rotating several, "
            "separated by commas, the new one first"
        )
    return parts


def _lease(value: object) -> object:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 3600:
        raise Wrong("must be a number of seconds, more than 0 and up to 3600, such as 30")
    return seconds


class Settings(BaseSettings):
    """What the worker and the command line need to know; names and meanings: `.env.example`.

    Making one raises ConfigurationError with a line for each bad variable, no secret in it.
    """

    model_config = SettingsConfigDict(
        env_file=_ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    rc_server_url: Annotated[str, AfterValidator(_server)] = _RINGCENTRAL
    rc_media_url: Annotated[str, AfterValidator(_media)] | None = None
    rc_client_id: str | None = Field(
        default=None, validation_alias=AliasChoices("RC_CLIENT_ID", "RC_APP_CLIENT_ID")
    )
    rc_client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("RC_CLIENT_SECRET", "RC_APP_CLIENT_SECRET")
    )
    rc_jwt: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("RC_JWT", "RC_USER_JWT")
    )
    webhook_url: Annotated[str, AfterValidator(_public)] | None = None
    webhook_verification_token: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(_tokens)
    ] = ()
    redis_url: Annotated[str, AfterValidator(redis_address)] | None = Field(
        default=None, repr=False
    )
    ringpost_key: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)] = ()
    config: Path = Field(default=Path("ringpost.toml"), validation_alias="RINGPOST_CONFIG")
    data: Path = Field(default=Path("data"), validation_alias="RINGPOST_DATA")
    lease_seconds: Annotated[float, BeforeValidator(_lease)] = Field(
        default=30, validation_alias="RINGPOST_LEASE"
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(map(_line, error.errors(include_url=False))) from None
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(error) from None

    @property
    def keys(self) -> tuple[str, ...]:
        """What is kept in Redis is encrypted with the first, and opened with any of these."""
        return tuple(key.get_secret_value() for key in self.ringpost_key)

    @property
    def server(self) -> Server:
        """RingCentral's API and media hosts."""
        return Server.of(self.rc_server_url, self.rc_media_url)

    @property
    def has_credentials(self) -> bool:
        """Whether all that a login takes is set."""
        return not self.missing_credentials()

    def missing_credentials(self) -> tuple[str, ...]:
        """The variables that a login still lacks."""
        return tuple(name for field, name in _CREDENTIALS.items() if not getattr(self, field))

    @property
    def broker_url(self) -> str:
        """The address of the broker as kombu spells it."""
        if self.redis_url is None:
            raise ConfigurationError(
                [
                    "REDIS_URL is not set; set it to the broker, such as redis://localhost:6379/0, "
                    "or start everything with `ringpost run`, which brings a Redis"
                ]
            )
        return broker_url(self.redis_url)


def broker_url(redis_url: str) -> str:
    """`unix:///path?db=1` becomes `redis+socket:///path?virtual_host=1`; others stay as is."""
    url = urlsplit(redis_url)
    if url.scheme != "unix":
        return redis_url
    database = parse_qs(url.query).get("db", ["0"])[0]
    return f"redis+socket://{url.netloc}{url.path}?virtual_host={database}"


def environment(process: Mapping[str, str] | None = None) -> dict[str, str]:
    """What `${NAME}` in the configuration may name: `.env`, and the environment, which wins."""
    try:
        written = dotenv_values(_ENV_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(error) from None
    found = {name: value for name, value in written.items() if value is not None}
    return found | dict(os.environ if process is None else process)


def _unreadable(error: OSError | UnicodeDecodeError) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return ConfigurationError(
        [f"{_ENV_FILE}: cannot be read: {reason}; correct it or take it away"]
    )


def _line(found: ErrorDetails) -> str:
    name, value = _variable(str(found["loc"][0])), str(found["input"])
    reason = found.get("ctx", {}).get("error")
    shown = name
    if name in _ADDRESSES:
        shown = f"{name} {address(value)}"
    elif name in _PLAIN:
        shown = f"{name} {quoted(value)}"
    if isinstance(reason, Wrong):
        return f"{shown} {reason}"
    return str(reason).replace(name, shown, 1) if reason else f"{shown}: {found['msg']}"


def _variable(field: str) -> str:
    info = Settings.model_fields.get(field)
    alias = info.validation_alias if info else None
    if isinstance(alias, AliasChoices):
        alias = str(alias.choices[0])
    return alias if isinstance(alias, str) else field.upper()
