"""The whole line on real parts: webhook and worker processes, and a mail server."""

import os
import socket
import subprocess
import sys
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import aiohttp
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox import RingCentral

TOKEN = "e2e0verification0token"
# The sandbox's access tokens begin so.
ACCESS_TOKEN = "U1BCMDFUMDRKV1MwMXxz"
PLUGINS = Path(__file__).parent.parent / "e2e" / "plugins"

VAULT = """
mailboxes = ["~"]
[sync]
start = "1h"
sweep_interval = "{sweep}"
[handlers.vault]
use = "archive"
to = "file://{data}/archive"
"""


class Inbox:
    """What a real mail server was given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        parser = BytesParser(policy=policy.default)
        mail = parser.parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


class Line:
    """Webhook and worker as processes between a sandbox and an archive."""

    def __init__(self, ringcentral: RingCentral, redis_url: str, folder: Path) -> None:
        self.ringcentral = ringcentral
        self.data = folder
        self.archive = folder / "archive"
        self.webhook_url = f"http://127.0.0.1:{free_port()}/webhook"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RC_")},
            **ringcentral.environment(),
            "REDIS_URL": redis_url,
            "WEBHOOK_URL": self.webhook_url,
            "WEBHOOK_VERIFICATION_TOKEN": TOKEN,
            "HOST": "127.0.0.1",
            "PORT": self.webhook_url.split(":")[2].split("/")[0],
            "RINGPOST_CONFIG": str(folder / "ringpost.toml"),
            "RINGPOST_DATA": str(folder),
            "RINGPOST_LEASE": "3",
            "PYTHONPATH": str(PLUGINS),
        }
        self.commands: dict[str, tuple[str, ...]] = {
            "webhook": (sys.executable, "-m", "webhook"),
            "worker": (sys.executable, "-m", "celery", "--quiet", "-A", "worker", "worker"),
        }
        self.log = folder / "log.txt"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def configure(self, routes: str, sweep: str = "15m") -> None:
        """Write the configuration: a vault, and these routes."""
        text = (VAULT + routes).replace("{data}", str(self.data)).replace("{sweep}", sweep)
        (self.data / "ringpost.toml").write_text(text)

    def start(self, *names: str) -> None:
        """Start some of `commands`."""
        for name in names:
            with self.log_of(name).open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.commands[name],
                    cwd=self.data,
                    env=self.surroundings(name),
                    stdout=log,
                    stderr=log,
                )

    def surroundings(self, name: str) -> dict[str, str]:
        """The environment of one process."""
        return self.environment

    def log_of(self, name: str) -> Path:
        """Where one process writes."""
        return self.log

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        """Stop all that run."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(100)

    def leaks(self) -> list[str]:
        """The secrets that stand in the log, by name."""
        secrets = {
            "verification token": self.environment["WEBHOOK_VERIFICATION_TOKEN"],
            "client secret": self.ringcentral.client_secret,
            "JWT": self.ringcentral.jwt,
            "access token": ACCESS_TOKEN,
        }
        said = self.log.read_text() if self.log.exists() else ""
        return [name for name, secret in secrets.items() if secret in said]

    async def notify(self, uuid: str = "1", *, token: str = TOKEN) -> int:
        """Post one change notification for the signed-in mailbox, as RingCentral does."""
        account, extension = self.ringcentral.account_id, self.ringcentral.extension_id
        notification = {
            "uuid": uuid,
            "event": f"/restapi/v1.0/account/{account}/extension/{extension}/message-store",
            "body": {"accountId": account, "extensionId": extension, "changes": []},
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                self.webhook_url, json=notification, headers={"Verification-Token": token}
            ) as answer,
        ):
            return answer.status

    def archived(self) -> list[Path]:
        """The folders whose manifest is written."""
        return [manifest.parent for manifest in sorted(self.archive.rglob("manifest.json"))]

    def is_read(self, message_id: object) -> bool:
        """Whether RingCentral has the message as read."""
        return bool(self.ringcentral.message(str(message_id))["readStatus"] == "Read")


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def answers(address: str) -> bool:
    """Whether the webhook listens."""
    health = address.replace("/webhook", "/healthz")
    try:
        async with aiohttp.ClientSession() as session, session.get(health) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
