"""One request on its way to its answer: the operation it asks for, and who asks."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from sandbox.answers import ApiError, invalid, not_found
from sandbox.emulator import Emulator
from sandbox.state.account import Account, Extension
from sandbox.state.mailboxes import Mailbox
from sandbox.state.tokens import Session
from sandbox.state.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API, named as in its OpenAPI document."""

    name: str
    method: str
    path: str
    answer: "Callable[[Exchange], Awaitable[web.StreamResponse]]"
    group: str = "light"
    app_permission: str | None = None
    user_permission: str | None = None
    writes: bool = False
    """Whether limited mode refuses it (`x-availability: Limited`)."""
    public: bool = False
    """Whether it is answered without a token; the limit of the `auth` group counts by app."""


class Exchange:
    """One request on its way to its answer: who asks, and for what."""

    def __init__(self, request: web.Request, emulator: Emulator, operation: Operation) -> None:
        self.request = request
        self.emulator = emulator
        self.operation = operation
        self._session: Session | None = None
        self.user = ""
        """Under which name the request is counted; empty as long as nobody knows who asks."""
        self.app_id = ""
        self.app_secret = ""
        self.rate_headers = True
        self.half = False
        """Whether the answer shall break off in the middle."""

    @property
    def session(self) -> Session:
        """The caller's session."""
        if self._session is None:
            raise ApiError(401, "AGW-401", "Authorization header is not specified")
        return self._session

    @property
    def caller(self) -> User:
        """The user who asks."""
        return self.session.user

    @property
    def account(self) -> Account:
        """The caller's company."""
        return self.caller.account

    async def sign_in(self) -> None:
        """Find who asks, by token or, where the operation is public, by app; raises the 401."""
        if self.operation.group == "auth":
            await self._name_app()
        elif not self.operation.public:
            self._read_token()

    def extension(self) -> Extension:
        """The extension the path names; raises 404, or 403 if it is not the caller's to see."""
        asked, permission = self.request.match_info["extensionId"], self.operation.user_permission
        if self.request.match_info["accountId"] not in ("~", self.account.id):
            raise not_found("accountId")
        own = self.caller.extension.id
        extension = self.account.extensions.get(own if asked == "~" else asked)
        if extension is None:
            raise not_found("extensionId")
        permissions = self.emulator.permissions
        if not permissions.of_user(permission, self.caller, extension.id):
            raise permissions.refusal(permission or "", self.caller, extension.id)
        return extension

    def mailbox(self) -> Mailbox:
        """The message store the path names."""
        return self.emulator.mailboxes[self.extension().id]

    async def json(self) -> Any:
        """The request's body, None when it is empty; raises the 400 answer when it is not JSON."""
        body = await self.request.read()
        try:
            return orjson.loads(body) if body else None
        except ValueError:
            raise invalid("body") from None

    def _read_token(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if not scheme and self.operation.name == "readMessageContent":
            scheme, token = "bearer", self.request.query.get("access_token", "")
        if not token:
            raise ApiError(401, "AGW-401", "Authorization header is not specified")
        if scheme.lower() != "bearer":
            raise ApiError(401, "AGW-402", "Invalid Authorization header")
        session = self.emulator.tokens.authenticate(token)
        if session.user.extension.id not in session.user.account.extensions:
            raise ApiError(401, "OAU-136", "Extension not found")
        self._session = session
        self.user = session.user.key

    async def _name_app(self) -> None:
        self.app_id, self.app_secret = _basic(self.request.headers.get("Authorization", ""))
        form = await self.request.post()
        self.user = self.app_id or str(form.get("client_id", ""))


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret
