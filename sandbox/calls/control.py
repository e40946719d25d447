"""The sandbox's own face under /sandbox: what a command or another process may ask of it.

Only programs of this machine are let in, no web page and nothing behind a proxy. Bodies and
answers are JSON; a mistake is answered with 400 and `{"message": "..."}` in words.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from sandbox.answers import json_answer
from sandbox.arrivals import arrive_as_told
from sandbox.samples.content import InMemory, type_of
from sandbox.sentences import SENTENCES, Told

if TYPE_CHECKING:
    from sandbox.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Answers to those who run the sandbox."""

    def __init__(self, server: "Server") -> None:
        self._emulator = server.emulator
        self._outbox = server.outbox
        self._told = Told(server)

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
        asked = request.query.get("extension")
        mailboxes = self._emulator.mailboxes
        chosen = [self._emulator.extension(asked).id] if asked else list(mailboxes)
        records = [m.record for e in chosen for m in mailboxes[e].newest_first()]
        records.sort(key=lambda record: (record["creationTime"], record["id"]), reverse=True)
        return json_answer(records)

    async def requests(self, request: web.Request) -> web.StreamResponse:
        """The request log, or of it what `path`, `group` and `inPenalty=true` select."""
        query = request.query
        found = self._emulator.requests.matching(query.get("path", ""))
        return json_answer(
            [
                entry.to_json()
                for entry in found
                if query.get("group") in (None, entry.group)
                and (query.get("inPenalty") != "true" or entry.in_penalty)
            ]
        )

    async def counts(self, request: web.Request) -> web.StreamResponse:
        """How many requests there were by group and operation, refused and inside a penalty."""
        return json_answer(self._emulator.requests.counts())

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

    async def settings(self, request: web.Request) -> web.StreamResponse:
        """What is chosen; a PATCH chooses other values for some settings."""
        settings = self._emulator.settings
        if request.method == "PATCH":
            settings.change(_object(await request.read()))
        return json_answer(settings.model_dump())

    async def sentences(self, request: web.Request) -> web.StreamResponse:
        """Everything that can be told, with its parameters."""
        return json_answer(
            [
                {
                    "name": sentence.name,
                    "parameters": [str(parameter) for parameter in sentence.parameters],
                    "meaning": sentence.meaning,
                }
                for sentence in SENTENCES.values()
            ]
        )

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Say one sentence; the body has its parameters."""
        name = request.match_info["sentence"].replace("_", "-")
        sentence = SENTENCES.get(name)
        if sentence is None:
            near = get_close_matches(name, SENTENCES, n=1)
            hint = f"do you mean {near[0]!r}?" if near else "GET /sandbox/do lists all"
            raise ValueError(f"unknown: {name[:40]!r}; {hint}")
        members = _object(await request.read() or b"{}")
        return json_answer(await sentence.say(self._told, members))


def mount(app: web.Application, server: "Server") -> None:
    """Add the control face to the API's application."""
    control = Control(server)
    for method, path, handler in routes(control):
        app.router.add_route(method, path, _guarded(handler))


def routes(control: Control) -> Sequence[tuple[str, str, Handler]]:
    """Method, path and handler of everything that can be asked or told."""
    return (
        ("GET", "/sandbox", control.facts),
        ("POST", "/sandbox/messages", control.send),
        ("GET", "/sandbox/messages", control.messages),
        ("GET", "/sandbox/requests", control.requests),
        ("GET", "/sandbox/requests/counts", control.counts),
        ("DELETE", "/sandbox/requests", control.forget_requests),
        ("GET", "/sandbox/notifications", control.notifications),
        ("GET", "/sandbox/settings", control.settings),
        ("PATCH", "/sandbox/settings", control.settings),
        ("GET", "/sandbox/do", control.sentences),
        ("POST", "/sandbox/do/{sentence}", control.do),
    )


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not _is_near(request):
            return json_answer({"message": "the control face is for this machine only"}, 403)
        try:
            return await handler(request)
        except LookupError as error:
            return json_answer({"message": str(error)}, 404)
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
