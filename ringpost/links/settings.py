"""Where links are opened, inside and outside."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ringpost.refusal import Refusal
from worker.problems import Wrong, address, quoted
from worker.settings import links_address


class LinkSettings(BaseSettings):
    """What serving links needs to know; names and meanings: `.env.example`.

    Making one raises Refusal with a line for each bad variable.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    links_url: Annotated[str, AfterValidator(links_address)] | None = None
    links_host: str = "127.0.0.1"
    links_port: Annotated[int, Field(ge=1, le=65535)] = 8082
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


def _line(field: str, value: str, found: object) -> str:
    name = field.upper()
    if name == "LINKS_PORT":
        return f"LINKS_PORT {quoted(value)} must be a number from 1 to 65535"
    reason = found["ctx"]["error"] if isinstance(found, dict) and "ctx" in found else None
    shown = address(value) if name == "LINKS_URL" else quoted(value)
    return f"{name} {shown} {reason if isinstance(reason, Wrong) else 'is not valid'}"
