"""How a request is made to fail: told by a fault, or by one of the random failures."""

from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.answers import ApiError
from sandbox.faults import Fault
from sandbox.random_failures import PAGE, Failure

if TYPE_CHECKING:
    from sandbox.exchange import Exchange


def fail(exchange: "Exchange", fault: Fault) -> web.Response:
    """Answer as the fault says; raises ApiError for RingCentral's own form."""
    if fault.status == 0:
        return _silence(exchange.request)
    if fault.body is not None:
        return web.Response(
            text=fault.body,
            status=fault.status,
            content_type=fault.content_type,
            headers=fault.headers,
        )
    raise ApiError(fault.status, fault.code, fault.message, headers=fault.headers)


def fail_randomly(exchange: "Exchange", failure: Failure) -> web.Response | None:
    """Fail so; raises ApiError for RingCentral's own form. None: answer, and break off half way."""
    settings = exchange.emulator.settings
    if failure.how == "half":
        exchange.half = True
        return None
    if failure.how == "silence":
        return _silence(exchange.request)
    if failure.how == "penalty":
        raise exchange.emulator.limits.punish(exchange.user, exchange.operation.group)
    if failure.how == "page":
        return web.Response(text=PAGE, status=failure.status, content_type="text/html")
    raise ApiError(
        settings.rendering_status if failure.code == "MSG-368" else failure.status,
        failure.code,
        "The sandbox fails now and then",
        headers={"Retry-After": f"{settings.busy_for:g}"} if failure.waits else {},
        **({"parameterName": failure.parameter} if failure.parameter else {}),
    )


async def break_in_half(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """The first half of an answer, then nothing more; an answer without a body never comes."""
    body = answer.body if isinstance(answer, web.Response) else None
    if not isinstance(body, bytes) or len(body) < 2:
        # one that is streamed has already broken off
        return answer if answer.prepared else _silence(request)
    half = web.StreamResponse(status=answer.status, headers=answer.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


def _silence(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)
