"""The webhook's settings: from the environment, else from `.env` in the working directory."""

import json
import re
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

_TOKEN = re.compile(r"[0-9A-Za-z]{16,64}")
_TOKEN_RULE = "16 to 64 letters and digits; two, separated by a comma, while rotating"  # noqa: S105  # a rule, not a token
_REDIS_SCHEMES = {"redis", "rediss", "unix"}
_MISSING = {
    "WEBHOOK_VERIFICATION_TOKEN": f"set it to the token RingCentral must present: {_TOKEN_RULE}; "
    "or start everything with `ringpost run`, which makes one",
    "REDIS_URL": "set it to the broker, such as redis://localhost:6379/0; "
    "or start everything with `ringpost run`, which brings a Redis",
}


class ConfigurationError(Exception):
    """Settings that cannot be used; each line names the variable and the remedy, never a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Settings(BaseSettings):
    """What `python -m webhook` needs to know. Names and meanings: see `.env.example`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    host: str = "0.0.0.0"  # noqa: S104  # the public face; HOST narrows it
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    webhook_url: str | None = None
    webhook_verification_token: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), Field(min_length=1, max_length=2)
    ]
    redis_url: SecretStr

    @field_validator("webhook_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            if not _is_whole(value):
                raise ValueError("must be a whole address, such as https://example.com/webhook")
            if URL(value).raw_path == "/healthz":
                raise ValueError(
                    "its path must not be /healthz, where the webhook tells its health"
                )
        return value

    @field_validator("webhook_verification_token")
    @classmethod
    def _are_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(_TOKEN.fullmatch(token.get_secret_value()) for token in value):
            raise ValueError(f"must be {_TOKEN_RULE}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr) -> SecretStr:
        if not _leads_to_redis(value.get_secret_value()):
            raise ValueError("must be such as redis://localhost:6379/0, rediss:// or unix://")
        return value

    @property
    def path(self) -> str:
        """The path that RingCentral posts to, as it stands in a request."""
        return URL(self.webhook_url).raw_path if self.webhook_url else "/webhook"

    @property
    def tokens(self) -> tuple[str, ...]:
        """Our verification tokens, the new one first."""
        return tuple(token.get_secret_value() for token in self.webhook_verification_token)

    @property
    def broker_url(self) -> str:
        """The address of the broker as kombu spells it."""
        return broker_url(self.redis_url.get_secret_value())


def broker_url(redis_url: str) -> str:
    """`unix:///path?db=1` becomes `redis+socket:///path?virtual_host=1`; others stay."""
    url = urlsplit(redis_url)
    if url.scheme != "unix":
        return redis_url
    database = parse_qs(url.query).get("db", ["0"])[0]
    return f"redis+socket://{url.netloc}{url.path}?virtual_host={database}"


def load(**stand_ins: Any) -> Settings:
    """The settings of this process; raises ConfigurationError with one line for each problem.

    `stand_ins` beat the environment: for looking at the other settings while one has no value yet.
    """
    try:
        return Settings(**stand_ins)
    except ValidationError as error:
        raise ConfigurationError([_line(dict(found)) for found in error.errors()]) from None


def _line(found: dict[str, object]) -> str:
    location = found["loc"]
    name = str(location[0] if isinstance(location, tuple) else location).upper()
    if found["type"] == "missing":
        return f"{name} is not set: {_MISSING[name]}"
    if name == "WEBHOOK_VERIFICATION_TOKEN":
        return f"{name} must be {_TOKEN_RULE}"
    value = str(found["input"])
    if name == "PORT":
        return f"{name} {_quoted(value)} must be a number from 0 to 65535"
    if name in {"WEBHOOK_URL", "REDIS_URL"}:
        name = f"{name} {_quoted(_shown(value))}"
    return f"{name}: {str(found['msg']).removeprefix('Value error, ')}"


def _is_whole(address: str) -> bool:
    try:
        url = urlsplit(address)
        return url.scheme in {"https", "http"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _leads_to_redis(address: str) -> bool:
    try:
        url = urlsplit(address)
        database = parse_qs(url.query).get("db", ["0"])[0]
        if url.scheme != "unix":
            database = url.path.strip("/") or database
        return url.scheme in _REDIS_SCHEMES and url.port != 0 and database.isdecimal()
    except ValueError:
        return False


def _shown(address: str) -> str:
    """The address without user, password and query."""
    return re.split(r"[?#]", re.sub(r"//.*@", "//***@", address, flags=re.DOTALL))[0]


def _quoted(text: str) -> str:
    return json.dumps(text[:80], ensure_ascii=False)
