"""`ringpost run` without credentials: RingCentral's sandbox and a mail server on this machine."""

import asyncio
import shutil
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ringpost.child import Program
from ringpost.probes import LOOPBACK, free_port, listens

CONFIGURATION = Path(__file__).with_name("demo.toml")
SAMPLES = ("sms", "mms", "fax", "voicemail", "pager")
_PORTS = (8090, 8091, 8025)
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the sandbox and the mail server listen, and where things end up."""

    data: Path
    api_port: int
    media_port: int
    mail_port: int

    @classmethod
    def in_folder(cls, data: Path) -> "Demo":
        """A demonstration on free ports, the usual ones if they are."""
        return cls(data, *map(free_port, _PORTS))

    @property
    def redis_data(self) -> Path:
        """Where its Redis lives, apart from that of real mailboxes."""
        return self.data / "demo"

    @property
    def server(self) -> str:
        """The sandbox's address."""
        return f"http://{LOOPBACK}:{self.api_port}"

    def credentials(self) -> dict[str, str]:
        """The variables that lead to the sandbox; its credentials are no secret."""
        return {
            "RC_SERVER_URL": self.server,
            "RC_MEDIA_URL": f"http://{LOOPBACK}:{self.media_port}",
            "RC_CLIENT_ID": "sandbox-client-id",
            "RC_CLIENT_SECRET": "sandbox-client-secret",
            "RC_JWT": "sandbox-jwt-credential",
        }

    def shared(self) -> dict[str, str]:
        """The variables that commands in other terminals need."""
        return self.environ() | {
            "RINGPOST_SANDBOX_URL": self.server,
        }

    def environ(self) -> dict[str, str]:
        """The sandbox's credentials, and the variables that demo.toml names."""
        return self.credentials() | {
            "DEMO_ARCHIVE": (self.data / "archive").as_uri(),
            "DEMO_SMTP": f"smtp://{LOOPBACK}:{self.mail_port}",
        }

    def forget(self) -> None:
        """Drop what an earlier demonstration left in Redis: its sandbox is gone as well."""
        shutil.rmtree(self.redis_data, ignore_errors=True)
        self.redis_data.mkdir(mode=0o700)

    async def send_samples(self, say: Callable[[str], None]) -> None:
        """Make one message of each kind arrive, as `ringpost sandbox send` does."""
        for kind in SAMPLES:
            try:
                await asyncio.to_thread(self._send, kind)
            except OSError as error:
                say(f"The sandbox does not take the sample {kind}: {error}")
            else:
                say(f"A sample message arrives in the sandbox: {kind}")

    def _send(self, kind: str) -> None:
        # The client library would take longer to import than this takes to do.
        form = urllib.parse.urlencode({"type": kind}).encode()
        with urllib.request.urlopen(  # noqa: S310  # our own address
            f"{self.server}/sandbox/messages", data=form, timeout=_PATIENCE
        ) as answer:
            answer.read()

    def programs(self) -> list[Program]:
        """The sandbox and the mail server."""
        api, media, mail = str(self.api_port), str(self.media_port), str(self.mail_port)

        async def sandbox_is_ready() -> bool:
            return await listens(self.api_port)() and await listens(self.media_port)()

        return [
            Program(
                name="sandbox",
                command=(sys.executable, "-m", "sandbox", "--port", api, "--media-port", media),
                ready=sandbox_is_ready,
            ),
            Program(
                name="mail",
                command=(
                    *(sys.executable, "-m", "ringpost.mail_sink"),
                    *("--port", mail, "--folder", str(self.data / "mail")),
                ),
                ready=listens(self.mail_port),
            ),
        ]
