"""What every request passes: log, latency, faults, token, limits and permissions."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from email.utils import formatdate

from aiohttp import web

from sandbox.answers import ApiError, app_permission_missing, json_answer
from sandbox.emulator import Emulator
from sandbox.exchange import Exchange, Operation
from sandbox.failed_answers import break_in_half, fail, fail_randomly
from sandbox.request_log import LoggedRequest

ROUTING_KEY = "LOC01P01"


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


async def _unknown(exchange: Exchange) -> web.StreamResponse:
    raise ApiError(404, "AGW-404", "Resource not found")


UNKNOWN = Operation(name="unknown", method="*", path="/{path:.*}", answer=_unknown, public=True)
