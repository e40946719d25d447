"""The sandbox in a test's own process: `async with RingCentral() as ringcentral`."""

import copy
from typing import Any, Self

from sandbox.notifications.outbox import Notified
from sandbox.receiving import Record
from sandbox.request_log import RequestLog
from sandbox.samples.content import whole
from sandbox.sentences import Sentences
from sandbox.server import Server
from sandbox.settings import Settings
from sandbox.staffing import Credentials
from sandbox.state.subscriptions import Subscription


class RingCentral(Sentences):
    """RingCentral on two free ports of this machine, in the running event loop.

    Takes the members of `Settings` by name: `RingCentral(extensions=10, latency=0.05)`. What it
    can be told is in `Receiving`, `Failing`, `Denying`, `Notifying` and `Staffing`.
    An `extension` is an id, an extension number or a phone number; `~` is the signed-in one.
    """

    def __init__(self, settings: Settings | None = None, **choices: Any) -> None:
        chosen = settings.model_dump() if settings else {}
        self.settings = Settings.chosen(**{**chosen, **choices})
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = Server(self.settings)
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()

    @property
    def server(self) -> Server:
        """Everything behind the ports."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running; use `async with RingCentral()`")
        return self._server

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self.server.emulator.api_url

    @property
    def media_url(self) -> str:
        """Where attachment contents are."""
        return self.server.emulator.media_url

    @property
    def client_id(self) -> str:
        """The app's id."""
        return self.settings.client_id

    @property
    def client_secret(self) -> str:
        """The app's secret."""
        return self.settings.client_secret

    @property
    def jwt(self) -> str:
        """The user's credential."""
        return self.settings.jwt

    @property
    def account_id(self) -> str:
        """The company's id."""
        return self.server.emulator.account.id

    @property
    def extension_id(self) -> str:
        """The signed-in extension's id."""
        return self.server.emulator.account.signed_in.id

    @property
    def extension_ids(self) -> list[str]:
        """All extensions' ids, the signed-in one first."""
        return list(self.server.emulator.account.extensions)

    @property
    def credentials(self) -> Credentials:
        """How to sign in as the first user."""
        emulator = self.server.emulator
        return Credentials.of(next(iter(emulator.users)), emulator)

    def environment(self) -> dict[str, str]:
        """The variables that point a program here."""
        return self.credentials.environment()

    def messages(self, extension: str = "~") -> list[Record]:
        """All messages of a mailbox, newest first, deleted ones included."""
        emulator = self.server.emulator
        mailbox = emulator.mailboxes[emulator.extension(extension).id]
        return [copy.deepcopy(message.record) for message in mailbox.newest_first()]

    def message(self, message_id: int | str) -> Record:
        """One message as it is now."""
        return copy.deepcopy(self._find(message_id).record)

    def content(self, message_id: int | str, attachment_id: int | str) -> bytes:
        """The bytes of one attachment."""
        return whole(self._find(message_id).contents[int(attachment_id)])

    @property
    def requests(self) -> RequestLog:
        """Every request answered so far."""
        return self.server.emulator.requests

    def count(self, part: str = "", **conditions: Any) -> int:
        """How many requests had `part` in their path, or were the operation of that name."""
        return self.requests.count(part, **conditions)

    @property
    def notifications(self) -> list[Notified]:
        """Every notification sent, and what became of it."""
        return list(self.server.outbox.sent)

    @property
    def subscriptions(self) -> list[Subscription]:
        """Every subscription that has not expired."""
        return list(self.server.emulator.subscriptions)
