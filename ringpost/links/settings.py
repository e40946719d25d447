"""Where links are opened, inside and outside."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ringpost.own_settings import OwnSettings, port
from worker.settings import links_address


class LinkSettings(OwnSettings):
    """What serving links needs to know; names and meanings: `.env.example`."""

    addresses = ("LINKS_URL",)

    links_url: Annotated[str, AfterValidator(links_address)] | None = None
    links_host: str = "127.0.0.1"
    links_port: Annotated[int, port(1)] = 8082
    data: Path = Field(default=Path("data"), validation_alias="RINGPOST_DATA")
