"""Where the admin process listens, and where its Redis is."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal
from worker.problems import Wrong, address, quoted
from worker.settings import redis_address


class AdminSettings(BaseSettings):
    """What `ringpost admin` needs to know, and no more; names and meanings: `.env.example`.

    Making one raises Refusal with a line for each bad variable.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    admin_host: str = "127.0.0.1"
    admin_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    redis_url: Annotated[str, AfterValidator(redis_address)] | None = Field(
        default=None, repr=False
    )
    data: Path = Field(default=Path("data"), validation_alias="RINGPOST_DATA")

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks them
        except ValidationError as error:
            raise Refusal(
                *(_line(str(one["loc"][0]), str(one["input"]), one) for one in error.errors())
            ) from None
        except (OSError, UnicodeDecodeError):
            raise Refusal(
                ".env: cannot be read as UTF-8 text; correct it or take it away"
            ) from None

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it."""
        if self.admin_host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.admin_host).is_loopback
        except ValueError:
            return False

    def redis(self) -> str:
        """The address of REDIS_URL or of the instance that runs here; Refusal without either."""
        found = self.redis_url or DataDirectory(self.data).running_environ().get("REDIS_URL")
        if found is None:
            raise Refusal(
                f"RINGPOST_DATA={self.data}: REDIS_URL is not set and no `ringpost run` uses this "
                "data directory; start one, or set REDIS_URL to the Redis of your workers"
            )
        return found


def open_to_others(settings: AdminSettings) -> str:
    """What everybody should know who lets others than this machine reach it."""
    return (
        f"ADMIN_HOST={settings.admin_host}: whoever can reach it reads status and metrics, there "
        "is no login"
    )


def _line(field: str, value: str, found: object) -> str:
    name = field.upper()
    if name == "ADMIN_PORT":
        return f"ADMIN_PORT {quoted(value)} must be a number from 0 to 65535"
    reason = found["ctx"]["error"] if isinstance(found, dict) and "ctx" in found else None
    shown = address(value) if name == "REDIS_URL" else quoted(value)
    return f"{name} {shown} {reason if isinstance(reason, Wrong) else 'is not valid'}"
