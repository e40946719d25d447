"""The sandbox's own face under /sandbox: what a command or another process may ask of it.

Only programs of this machine are let in, no web page and nothing behind a proxy. Bodies and
answers are JSON; a mistake is answered with 400 and `{"message": "..."}` in words.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from sandbox.answers import json_answer
from sandbox.arrivals import arrive_as_told
from sandbox.emulator import Emulator
from sandbox.faults import Fault
from sandbox.notifications.outbox import Outbox
from sandbox.samples.content import InMemory, type_of

FAULT_KEYS = (
    "path",
    "status",
    "code",
    "times",
    "retryAfter",
    "dropNotifications",
    "truncateDownloads",
    "limitedMode",
    "deny",
    "to",
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Answers to those who run the sandbox."""

    def __init__(self, emulator: Emulator, outbox: Outbox) -> None:
        self._emulator = emulator
        self._outbox = outbox

    async def facts(self, request: web.Request) -> web.StreamResponse:
        """Where everything is; also says that the sandbox is ready."""
        emulator = self._emulator
        return json_answer(
            {
                "api": emulator.api_url,
                "media": emulator.media_url,
                "account": emulator.account.id,
                "extensions": [
                    {"id": e.id, "number": e.number, "name": e.name, "phone": e.phone}
                    for e in emulator.account.extensions.values()
                ],
                "subscriptions": len(list(emulator.subscriptions)),
                "messages": sum(len(mailbox) for mailbox in emulator.mailboxes.values()),
                "requests": len(emulator.requests),
            }
        )

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Let messages arrive: JSON, or a form with files."""
        told: dict[str, Any] = {}
        files = []
        if request.content_type == "application/json":
            told = _object(await request.read())
        else:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    kind = type_of(value.filename) or value.content_type
                    files.append(InMemory(value.file.read(), value.filename, kind))
                elif isinstance(value, str):
                    told[name] = value
        stored = arrive_as_told(self._emulator, told, files)
        return json_answer([message.record for message in stored], 201)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """All messages of one extension or of all, newest first."""
        account = self._emulator.account
        asked = request.query.get("extension")
        extension = account.find(asked) if asked else None
        if asked and extension is None:
            raise ValueError(f"no such extension: {asked[:40]!r}")
        chosen = [extension.id] if extension else list(self._emulator.mailboxes)
        records = [m.record for e in chosen for m in self._emulator.mailboxes[e].newest_first()]
        records.sort(key=lambda record: (record["creationTime"], record["id"]), reverse=True)
        return json_answer(records)

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """The request log, or those entries whose path contains `path`."""
        found = self._emulator.requests.matching(request.query.get("path", ""))
        return json_answer([entry.to_json() for entry in found])

    async def forget_requests(self, request: web.Request) -> web.StreamResponse:
        """Empty the request log."""
        self._emulator.requests.clear()
        return web.Response(status=204)

    async def notifications(self, request: web.Request) -> web.StreamResponse:
        """Every notification sent and what became of it."""
        return json_answer(
            [
                {
                    "subscriptionId": n.subscription_id,
                    "outcome": n.outcome,
                    "notification": n.notification,
                }
                for n in self._outbox.sent
            ]
        )

    async def add_fault(self, request: web.Request) -> web.StreamResponse:
        """Let something fail; see `Fault` and `Faults` for the members."""
        told = _object(await request.read())
        if unknown := sorted(set(told) - set(FAULT_KEYS)):
            raise ValueError(f"unknown member: {unknown[0]!r}; there are {', '.join(FAULT_KEYS)}")
        faults = self._emulator.faults
        if "dropNotifications" in told:
            faults.lost_notifications += int(told["dropNotifications"])
        if "truncateDownloads" in told:
            faults.truncated_downloads += int(told["truncateDownloads"])
        if "limitedMode" in told:
            faults.limited_mode = float(told["limitedMode"])
        if "deny" in told:
            denied = faults.denied_to_app if told.get("to") == "app" else faults.denied_to_user
            denied.add(str(told["deny"]))
        if "path" in told:
            retry_after = told.get("retryAfter")
            fault = Fault(
                part=str(told["path"]),
                status=int(told.get("status", 503)),
                code=str(told.get("code", "CMN-203")),
                times=int(told.get("times", 1)),
                headers={} if retry_after is None else {"Retry-After": str(retry_after)},
            )
            faults.add(fault)
        return web.Response(status=204)

    async def clear_faults(self, request: web.Request) -> web.StreamResponse:
        """Let everything work again."""
        self._emulator.faults.clear()
        return web.Response(status=204)


def mount(app: web.Application, emulator: Emulator, outbox: Outbox) -> None:
    """Add the control face to the API's application."""
    control = Control(emulator, outbox)
    for method, path, handler in (
        ("GET", "/sandbox", control.facts),
        ("POST", "/sandbox/messages", control.send),
        ("GET", "/sandbox/messages", control.messages),
        ("GET", "/sandbox/requests", control.requests),
        ("DELETE", "/sandbox/requests", control.forget_requests),
        ("GET", "/sandbox/notifications", control.notifications),
        ("POST", "/sandbox/faults", control.add_fault),
        ("DELETE", "/sandbox/faults", control.clear_faults),
    ):
        app.router.add_route(method, path, _guarded(handler))


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not _is_near(request):
            return json_answer({"message": "the control face is for this machine only"}, 403)
        try:
            return await handler(request)
        except (ValueError, TypeError) as error:
            return json_answer({"message": str(error)}, 400)

    return handle


def _is_near(request: web.Request) -> bool:
    """Whether a program of this machine asks: the peer alone could be a browser or a proxy."""
    if "Origin" in request.headers or "X-Forwarded-For" in request.headers:
        return False
    try:
        host = urlsplit(f"//{request.host}").hostname
    except ValueError:
        return False
    return _is_loopback(request.remote) and _is_loopback(host)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _object(body: bytes) -> dict[str, Any]:
    told = orjson.loads(body)
    if not isinstance(told, dict):
        raise ValueError("the body must be a JSON object")
    return told
