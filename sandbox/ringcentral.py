"""The sandbox in a test's own process: `async with RingCentral() as ringcentral`."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from sandbox.arrivals import arrive
from sandbox.faults import Fault
from sandbox.notifications.outbox import Notified
from sandbox.request_log import RequestLog
from sandbox.samples.compose import Wish, transcript
from sandbox.samples.content import Content, whole
from sandbox.server import Server
from sandbox.settings import Settings
from sandbox.state.messages import StoredMessage
from sandbox.state.subscriptions import Subscription

Record = dict[str, Any]
"""A message as the REST API answers it."""


class RingCentral:
    """RingCentral on two free ports of this machine, in the running event loop.

    Takes the members of `Settings` by name: `RingCentral(extensions=10, latency=0.05)`.
    An `extension` is an id, an extension number or a phone number; `~` is the signed-in one.
    """

    def __init__(self, settings: Settings | None = None, **choices: Any) -> None:
        self.settings = replace(settings or Settings(), **choices)
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

    def environment(self) -> dict[str, str]:
        """The variables that point a program here."""
        return {
            "RC_SERVER_URL": self.api_url,
            "RC_MEDIA_URL": self.media_url,
            "RC_CLIENT_ID": self.client_id,
            "RC_CLIENT_SECRET": self.client_secret,
            "RC_JWT": self.jwt,
        }

    # --- messages arrive and change ---------------------------------------------------------

    async def receives(self, kind: str, *, extension: str = "~", **wish: Any) -> Record:
        """A message of any kind ("sms", "mms", ...) arrives; see `Wish` for the rest."""
        message = arrive(self.server.emulator, kind, Wish(**wish), extension)
        return copy.deepcopy(message.record)

    async def receives_sms(self, text: str | None = None, **wish: Any) -> Record:
        """A text message arrives."""
        return await self.receives("sms", text=text, **wish)

    async def receives_mms(
        self, text: str | None = None, *, attachments: Sequence[Content] | None = None, **wish: Any
    ) -> Record:
        """A text message with pictures arrives, two if none are given."""
        return await self.receives("mms", text=text, attachments=attachments, **wish)

    async def receives_fax(
        self, *, attachments: Sequence[Content] | None = None, rendering: int = 0, **wish: Any
    ) -> Record:
        """A fax arrives; its content answers MSG-368 the first `rendering` times."""
        return await self.receives("fax", attachments=attachments, rendering=rendering, **wish)

    async def receives_voicemail(
        self, *, attachments: Sequence[Content] | None = None, seconds: int = 1, **wish: Any
    ) -> Record:
        """A voicemail arrives."""
        return await self.receives("voicemail", attachments=attachments, seconds=seconds, **wish)

    async def receives_pager(self, text: str | None = None, **wish: Any) -> Record:
        """A message from a colleague arrives; `sender` and `to` are extension numbers."""
        return await self.receives("pager", text=text, **wish)

    async def changes(self, message_id: int | str, **fields: Any) -> Record:
        """Members of a message change, by somebody else: `changes(id, readStatus="Read")`."""
        message = self._find(message_id)
        self.server.emulator.change(message, fields)
        return copy.deepcopy(message.record)

    async def transcribes(self, message_id: int | str, text: str) -> Record:
        """A voicemail's transcription is ready."""
        message = self._find(message_id)
        changed = {"vmTranscriptionStatus": "Completed"}
        self.server.emulator.change(message, changed, transcript(text))
        return copy.deepcopy(message.record)

    # --- what is there ----------------------------------------------------------------------

    def messages(self, extension: str = "~") -> list[Record]:
        """All messages of a mailbox, newest first, deleted ones included."""
        found = self.server.emulator.account.find(extension)
        if found is None:
            raise LookupError(f"no such extension: {extension!r}")
        mailbox = self.server.emulator.mailboxes[found.id]
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

    # --- what goes wrong --------------------------------------------------------------------

    def fails(
        self,
        part: str,
        *,
        status: int = 503,
        code: str = "CMN-203",
        times: int = 1,
        retry_after: float | None = None,
        method: str | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The next requests with `part` in their path fail so; status 0 breaks them off."""
        wait = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        fault = Fault(
            part=part,
            status=status,
            code=code,
            times=times,
            method=method,
            body=body,
            headers={**wait, **(headers or {})},
        )
        self.server.emulator.faults.add(fault)

    def breaks_off(self, part: str, *, times: int = 1) -> None:
        """The next requests with `part` in their path lose their connection unanswered."""
        self.fails(part, status=0, times=times)

    def drops_notifications(self, count: int = 1) -> None:
        """The next notifications never arrive."""
        self.server.emulator.faults.lost_notifications += count

    def truncates_downloads(self, count: int = 1) -> None:
        """The next downloads break off half way."""
        self.server.emulator.faults.truncated_downloads += count

    def denies(self, permission: str, *, to: str = "user") -> None:
        """The "user" (CMN-408) or the "app" (CMN-401) lacks a permission from now on."""
        faults = self.server.emulator.faults
        (faults.denied_to_app if to == "app" else faults.denied_to_user).add(permission)

    def enters_limited_mode(self, retry_after: float = 60) -> None:
        """Reads work, writes answer 503 CMN-211, until `recovers`."""
        self.server.emulator.faults.limited_mode = retry_after

    def recovers(self) -> None:
        """No fault is left, every permission is granted."""
        self.server.emulator.faults.clear()

    def limits_to(self, *, window: float | None = None, **limits: int) -> None:
        """Other rate limits from now on: `limits_to(light=5, window=2)`."""
        self.server.emulator.limits.change(limits, window)

    async def revokes_tokens(self) -> None:
        """Every session ends: tokens answer OAU-213."""
        self.server.emulator.tokens.revoke_all()

    async def forgets_sync_tokens(self) -> None:
        """Every sync token given so far answers MSG-333."""
        self.server.emulator.sync_tokens.forget()

    async def passes(self, seconds: float) -> None:
        """Time passes at once: tokens expire, subscriptions end, penalties are over."""
        self.server.emulator.clock.advance(seconds)

    async def repeats_notification(self, times: int = 1) -> None:
        """The last notification is sent again, word for word."""
        last = self.notifications[-1]
        for subscription in self.subscriptions:
            if subscription.id == last.subscription_id:
                for _ in range(times):
                    self.server.outbox.send(subscription, last.notification)

    def _find(self, message_id: int | str) -> StoredMessage:
        found = self.server.emulator.find(int(message_id))
        if found is None:
            raise LookupError(f"no such message: {message_id}")
        return found
