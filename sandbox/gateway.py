"""What every request passes: log, latency, faults, token, limits and permissions."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web

from sandbox.answers import (
    ApiError,
    OAuthError,
    app_permission_missing,
    invalid,
    json_answer,
    not_found,
    user_permission_missing,
)
from sandbox.emulator import Emulator
from sandbox.faults import Fault
from sandbox.request_log import LoggedRequest
from sandbox.state.account import Extension
from sandbox.state.mailboxes import Mailbox
from sandbox.state.tokens import Session

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
    """Whether it is answered without a token; such an operation counts its limit itself."""


class Exchange:
    """One request on its way to its answer: who asks, and for what."""

    def __init__(self, request: web.Request, emulator: Emulator, operation: Operation) -> None:
        self.request = request
        self.emulator = emulator
        self.operation = operation
        self._session: Session | None = None
        self.user = ""

    @property
    def session(self) -> Session:
        """The caller's session."""
        if self._session is None:
            raise ApiError(401, "AGW-401", "Authorization header is not specified")
        return self._session

    def sign_in(self) -> None:
        """Find the session of the request's token; raises the 401 answer."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if not scheme and self.operation.name == "readMessageContent":
            scheme, token = "bearer", self.request.query.get("access_token", "")
        if not token:
            raise ApiError(401, "AGW-401", "Authorization header is not specified")
        if scheme.lower() != "bearer":
            raise ApiError(401, "AGW-402", "Invalid Authorization header")
        self._session = self.emulator.tokens.authenticate(token)
        self.user = f"{self._session.client_id}/{self._session.extension_id}"

    def extension(self) -> Extension:
        """The extension the path names; raises 404, or 403 if it is not the caller's to see."""
        account, asked = self.emulator.account, self.request.match_info["extensionId"]
        if self.request.match_info["accountId"] not in ("~", account.id):
            raise not_found("accountId")
        extension = account.extensions.get(self.session.extension_id if asked == "~" else asked)
        if extension is None:
            raise not_found("extensionId")
        if extension.id != self.session.extension_id and not self.emulator.settings.admin:
            raise ApiError(
                403,
                "CMN-419",
                "In order to call this API endpoint, user needs to have"
                f" [{self.operation.user_permission}] permission with extended scope",
                permissionName=self.operation.user_permission or "",
            )
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
            return answer

        return handle

    async def _answer(self, exchange: Exchange, entry: LoggedRequest) -> web.StreamResponse:
        emulator, operation, request = self._emulator, exchange.operation, exchange.request
        if emulator.settings.latency:
            await asyncio.sleep(emulator.settings.latency)
        fault = emulator.faults.take(request.method, request.path_qs)
        if not operation.public:
            self._sign_in(exchange, required=fault is None)
        entry.in_penalty = emulator.limits.in_penalty(exchange.user, operation.group)
        if fault is not None:
            return self._faulty(exchange, fault, entry)
        if not operation.public:
            emulator.limits.take(exchange.user, operation.group)
            self._check_permissions(operation)
        return await operation.answer(exchange)

    def _sign_in(self, exchange: Exchange, *, required: bool) -> None:
        try:
            exchange.sign_in()
        except ApiError:
            if required:
                raise

    def _check_permissions(self, operation: Operation) -> None:
        faults = self._emulator.faults
        if operation.app_permission in faults.denied_to_app:
            raise app_permission_missing(operation.app_permission or "")
        if operation.user_permission in faults.denied_to_user:
            raise user_permission_missing(operation.user_permission or "")
        if operation.writes and faults.limited_mode is not None:
            raise ApiError(
                503,
                "CMN-211",
                "The service is in limited mode",
                headers={"Retry-After": f"{faults.limited_mode:g}"},
            )

    def _faulty(self, exchange: Exchange, fault: Fault, entry: LoggedRequest) -> web.StreamResponse:
        if fault.status == 0:
            if exchange.request.transport is not None:
                exchange.request.transport.close()
            return web.Response(status=500)
        if fault.body is not None:
            return web.Response(
                text=fault.body,
                status=fault.status,
                content_type=fault.content_type,
                headers=fault.headers,
            )
        entry.code = fault.code
        raise ApiError(fault.status, fault.code, fault.message, headers=fault.headers)

    def _refused(self, refusal: ApiError) -> web.Response:
        full = self._emulator.settings.error_form == "full" or isinstance(refusal, OAuthError)
        answer = json_answer(refusal.body(top_level=full), refusal.status)
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
        if exchange is not None and exchange.user:
            group = exchange.operation.group
            headers.update(self._emulator.limits.headers(exchange.user, group))


async def _unknown(exchange: Exchange) -> web.StreamResponse:
    raise ApiError(404, "AGW-404", "Resource not found")


UNKNOWN = Operation(name="unknown", method="*", path="/{path:.*}", answer=_unknown, public=True)
