"""Settings of processes that are not the worker's; a mistake in one is a Refusal."""

from collections.abc import Collection
from typing import ClassVar

from pydantic import BeforeValidator, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from ringpost.refusal import Refusal
from worker.problems import Wrong, address, quoted


class OwnSettings(BaseSettings):
    """From the environment, else from `.env` in the working directory.

    Making one raises Refusal with a line for each bad variable.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    addresses: ClassVar[Collection[str]] = ()
    """The variables whose values are shown without the password in them."""

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)  # type: ignore[arg-type]  # pydantic checks them
        except ValidationError as error:
            raise Refusal(*map(self._line, error.errors(include_url=False))) from None
        except (OSError, UnicodeDecodeError):
            raise Refusal(
                ".env: cannot be read as UTF-8 text; correct it or take it away"
            ) from None

    @classmethod
    def _line(cls, error: ErrorDetails) -> str:
        name, value = str(error["loc"][0]).upper(), str(error["input"])
        reason = error.get("ctx", {}).get("error")
        shown = address(value) if name in cls.addresses else quoted(value)
        return f"{name} {shown} {reason if isinstance(reason, Wrong) else 'is not valid'}"


def port(least: int) -> BeforeValidator:
    """A port to listen on, from `least` on: 0 is any that is free."""

    def checked(value: object) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = -1
        if not least <= number <= 65535:
            raise Wrong(f"must be a number from {least} to 65535")
        return number

    return BeforeValidator(checked)
