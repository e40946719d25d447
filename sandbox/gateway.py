"""What every request passes: log, latency, faults, token, limits and permissions."""

import asyncio
import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web

from sandbox.answers import (
    ApiError,
    app_permission_missing,
    invalid,
    json_answer,
    not_found,
)
from sandbox.emulator import Emulator
from sandbox.failed_answers import break_in_half, fail, fail_randomly
from sandbox.request_log import LoggedRequest
from sandbox.state.account import Account, Extension
from sandbox.state.mailboxes import Mailbox
from sandbox.state.tokens import Session
from sandbox.state.users import User

ROUTING_KEY = "LOC01P01"


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


_EXCHANGE = web.RequestKey("exchange", Exchange)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """Lets an aiohttp application answer operations as RingCentral's gateway does."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def mount(self, app: web.Application, operations: Sequence[Operation]) -> None:
        """Let an application answer these operations, and everything else with AGW-404."""
        for operation in (*operations, UNKNOWN):
            app.router.add_route(operation.method, operation.path, self._handler(operation))
        app.on_response_prepare.append(self._add_headers)

    def _handler(self, operation: Operation) -> Handler:
        emulator = self._emulator

        async def handle(request: web.Request) -> web.StreamResponse:
            exchange = Exchange(request, emulator, operation)
            request[_EXCHANGE] = exchange
            entry = LoggedRequest(
                method=request.method,
                path=request.path_qs,
                operation=operation.name,
                group=operation.group,
                started=emulator.clock.time(),
            )
            emulator.requests.add(entry)
            try:
                answer = await self._answer(exchange, entry)
            except ApiError as refusal:
                entry.code = refusal.code
                answer = self._refused(refusal)
            entry.status = answer.status
            entry.finished = emulator.clock.time()
            if exchange.half:
                return await break_in_half(request, answer)
            return answer

        return handle

    async def _answer(self, exchange: Exchange, entry: LoggedRequest) -> web.StreamResponse:
        emulator, operation, request = self._emulator, exchange.operation, exchange.request
        if emulator.settings.latency:
            await asyncio.sleep(emulator.settings.latency)
        fault = emulator.faults.take(request.method, request.path_qs)
        try:
            await exchange.sign_in()
        except ApiError:
            if fault is None:
                raise
        entry.user = exchange.user
        entry.penalty_age = emulator.limits.penalty_age(exchange.user, operation.group)
        if fault is not None:
            entry.failure = "told to fail"
            exchange.rate_headers = fault.rate_headers
            return fail(exchange, fault)
        if exchange.user:
            emulator.limits.take(exchange.user, operation.group)
        failure = emulator.faults.random.next(exchange) if emulator.faults.random else None
        if failure is not None:
            entry.failure = failure.name
            if (failed := fail_randomly(exchange, failure)) is not None:
                return failed
        if not operation.public:
            self._check_permissions(exchange)
        return await operation.answer(exchange)

    def _check_permissions(self, exchange: Exchange) -> None:
        permissions, operation = self._emulator.permissions, exchange.operation
        if not permissions.of_app(operation.app_permission):
            raise app_permission_missing(operation.app_permission or "")
        if not permissions.of_user(operation.user_permission, exchange.caller):
            raise permissions.refusal(operation.user_permission or "", exchange.caller, None)
        limited_mode = self._emulator.faults.limited_mode
        if operation.writes and limited_mode is not None:
            raise ApiError(
                503,
                "CMN-211",
                "The service is in limited mode",
                headers={"Retry-After": f"{limited_mode:g}"},
            )

    def _refused(self, refusal: ApiError) -> web.Response:
        answer = json_answer(refusal.body(self._emulator.settings.error_form), refusal.status)
        answer.headers.update(refusal.headers)
        return answer

    async def _add_headers(self, request: web.Request, answer: web.StreamResponse) -> None:
        headers = answer.headers
        headers["RCRequestId"] = str(uuid.uuid4())
        headers["RoutingKey"] = ROUTING_KEY
        headers["Content-Language"] = "en-US"
        if self._emulator.clock.offset:
            headers["Date"] = formatdate(self._emulator.clock.time(), usegmt=True)
        exchange = request.get(_EXCHANGE)
        if exchange is not None and exchange.user and exchange.rate_headers:
            group = exchange.operation.group
            headers.update(self._emulator.limits.headers(exchange.user, group))


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


async def _unknown(exchange: Exchange) -> web.StreamResponse:
    raise ApiError(404, "AGW-404", "Resource not found")


UNKNOWN = Operation(name="unknown", method="*", path="/{path:.*}", answer=_unknown, public=True)
