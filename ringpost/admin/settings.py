"""Where the admin process listens, and where its Redis is."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ringpost.data_directory import DataDirectory
from ringpost.own_settings import OwnSettings, port
from ringpost.refusal import Refusal
from worker.settings import redis_address


class AdminSettings(OwnSettings):
    """What `ringpost admin` needs to know, and no more; names and meanings: `.env.example`."""

    addresses = ("REDIS_URL",)

    admin_host: str = "127.0.0.1"
    admin_port: Annotated[int, port(0)] = 8081
    redis_url: Annotated[str, AfterValidator(redis_address)] | None = Field(
        default=None, repr=False
    )
    data: Path = Field(default=Path("data"), validation_alias="RINGPOST_DATA")

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
