"""`webhook`: what is posted, how it is signed, and what the answer makes of it."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from worker.handlers.conformance import Bench, HandlerConformance
from worker.handlers.conformance_cases import FAX, HOSTILE, MMS, PDF, SMS, Case
from worker.handlers.contract import Handler, PermanentError, Reply, TransientError
from worker.handlers.webhook import Webhook
from worker.handlers.webhook_files import MOST_INLINE

OLD, NEW = (f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"n"))
Online = Callable[..., Awaitable[str]]
Attempt = Callable[..., Awaitable[str]]


class TestConformance(HandlerConformance):
    """It passes the suite for all handlers."""

    def make_handler(self) -> Handler:
        return made("https://hook.example.com/in", files="multipart")


class TestInlineConformance(HandlerConformance):
    """So it does with files in the JSON."""

    def make_handler(self) -> Handler:
        return made("https://hook.example.com/in", files="inline", secret=NEW)


class TestLinkConformance(HandlerConformance):
    """And with links to the files."""

    @pytest.fixture(autouse=True)
    def links(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LINKS_URL", "https://links.example.com")

    def make_handler(self) -> Handler:
        return made("https://hook.example.com/in", files="link")


def made(url: str, **options: Any) -> Webhook:
    return Webhook.model_validate({"url": url, **options})


class Receiver:
    """A server that keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status, self.answer, self.headers = 200, "", {"Content-Type": "text/plain"}
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.posts.append((dict(request.headers), body))
        return web.Response(status=self.status, text=self.answer, headers=self.headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


def inside(receiver: Receiver, **options: Any) -> Webhook:
    return made(receiver.url, allow="127.0.0.1", **options)


async def test_the_document(receiver: Receiver, online: Online) -> None:
    """The message is there as RingCentral spells it, with where and why; the same each time."""
    handler = inside(receiver, headers={"Authorization": "Bearer abc"})
    assert await online(handler, SMS) == "posted, answered 200"
    await online(handler, SMS, attempt=2)
    (headers, body), (again, same) = receiver.posts
    document = json.loads(body)
    assert {**document, "data": None} == {
        "version": 1,
        "type": "message.created",
        "timestamp": "2025-11-23T14:17:08.000+00:00",
        "data": None,
    }
    data = document["data"]
    assert data["mailbox"] == {"accountId": "230919004", "extensionId": "230919005"}
    assert data["message"]["from"]["phoneNumber"] == "+16505550100"
    assert data["message"]["conversationId"] == "5439834568291730433"
    assert (data["route"], data["files"]) == ("Online", [])
    assert headers["Authorization"] == "Bearer abc"
    assert headers["Idempotency-Key"] == headers["webhook-id"] == data["id"]
    assert (again["webhook-id"], same) == (headers["webhook-id"], body)
    assert "webhook-signature" not in headers
    assert "Transfer-Encoding" not in headers


async def test_the_signature_holds_for_others(receiver: Receiver, online: Online) -> None:
    """The library of the specification accepts it, with either secret while they change."""
    await online(inside(receiver, secret=f"{NEW}, {OLD}", files="inline"), MMS)
    [(headers, body)] = receiver.posts
    for secret in (NEW, OLD):
        assert Verifier(secret).verify(body, headers)["data"]["message"]["subject"]
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Verifier(NEW).verify(body.replace(b"pictures", b"Pictures"), headers)


async def test_files_in_the_json(receiver: Receiver, online: Online) -> None:
    """They come as base64 with their true size."""
    await online(inside(receiver, files="inline"), FAX)
    [file] = json.loads(receiver.posts[0][1])["data"]["files"]
    assert base64.b64decode(file.pop("content")) == PDF
    assert file == {
        "id": "501",
        "name": "document-501.pdf",
        "contentType": "application/pdf",
        "size": len(PDF),
    }


async def test_files_behind_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has an address at which it can be had; what was refused for good opens no more."""
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    handler, bench = made("https://hook.example.com/in", files="link"), Bench(FAX, tmp_path)
    assert bench.links is not None
    await bench.attempt(handler)
    [file] = json.loads(bench.network.calls[0]["body"])["data"]["files"]
    assert (file["name"], file["size"]) == ("document-501.pdf", len(PDF))
    assert bench.links.contents == {file["url"]: PDF}

    async def refuse(*_: object, **__: object) -> Reply:
        return Reply(410, {}, b"")

    monkeypatch.setattr(bench.network, "request", refuse)
    with pytest.raises(PermanentError):
        await bench.attempt(handler)
    assert list(bench.links.contents) == [file["url"]]
    bench.links = None
    with pytest.raises(PermanentError, match="links need LINKS_URL and a Redis"):
        await bench.attempt(handler)
    monkeypatch.delenv("LINKS_URL")
    with pytest.raises(ValidationError, match="needs LINKS_URL"):
        made("https://hook.example.com/in", files="link")


async def test_files_as_a_form(receiver: Receiver, online: Online) -> None:
    """Whatever they are named and hold, a form's reader finds them whole; the form is signed."""
    names = {"501": PDF, "2": b"--ringpost\r\n"}
    attachments = [{"id": 501}, {"id": 2, "fileName": 'a "quoted"\r\nname.txt'}]
    case = Case({**FAX.wire, "attachments": attachments}, names)
    for each in (case, HOSTILE):
        await online(inside(receiver, files="multipart", secret=NEW), each)
    form, hostile = [parts(headers, body) for headers, body in receiver.posts]
    assert [part.get_payload(decode=True) for part in form[1:]] == [*names.values()]
    assert form[2].get_filename() == "a _quoted_ name.txt"
    document = json.loads(form[0].get_content())
    assert [file["size"] for file in document["data"]["files"]] == [len(PDF), 12]
    assert len(hostile) == 9
    for headers, body in receiver.posts:
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signature = base64.b64encode(hmac.digest(b"n" * 32, text, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{signature}"  # the library reads text only


def parts(headers: dict[str, str], body: bytes) -> list[EmailMessage]:
    """The parts of a form, read by somebody else's parser."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    return [part for part in whole.iter_parts() if isinstance(part, EmailMessage)]


@pytest.mark.parametrize("files", ["inline", "multipart"])
async def test_a_deleted_message_comes_without_files(attempt: Attempt, files: str) -> None:
    """They may be gone with it, and are not asked for."""
    gone = Case(FAX.wire, {})
    handler = made("https://hook.example.com/in", files=files)
    await attempt(handler, gone, on="deleted", at="2025-11-24T10:00:00+00:00")


async def test_too_much_for_the_json(receiver: Receiver, online: Online) -> None:
    """Files that are too large for it fail with the remedy, and nothing is posted."""
    large = Case(FAX.wire, {"501": bytes(MOST_INLINE + 1)})
    large.wire["attachments"][0].pop("size", None)
    with pytest.raises(PermanentError, match='4 MiB together; send them with files = "multipart"'):
        await online(inside(receiver, files="inline"), large)
    assert receiver.posts == []
    await online(inside(receiver, files="multipart"), large)
    assert len(receiver.posts[0][1]) > MOST_INLINE


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, "", "posted, answered 200"),
        (204, "", "posted, answered 204"),
        (200, '{"status": "done", "reason": "ticket 4711\\nopened"}', "ticket 4711 opened"),
        (202, '{"status": "queued", "reason": "what?"}', "posted, answered 202"),
        (200, '["status"]', "posted, answered 200"),
        (200, "<html>", "posted, answered 200"),
        (200, "[" * 500_000, "posted, answered 200"),
        (200, "9" * 5000, "posted, answered 200"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_done(
    receiver: Receiver, online: Online, status: int, answer: str, words: str
) -> None:
    """Any 2xx is done, and what a JSON answer says of it is kept."""
    receiver.status, receiver.answer = status, answer
    assert await online(inside(receiver), SMS) == words


@pytest.mark.parametrize(
    ("status", "answer", "retry_after", "after", "words"),
    [
        (200, '{"status": "retry", "after": 60, "reason": "locked"}', None, 60, "locked"),
        (200, '{"status": "retry", "after": -1}', None, None, "asked to be called again"),
        (200, '{"status": " RETRY", "after": "60"}', None, 60, "asked to be called again"),
        (200, '{"status": "retry", "after": 1e999}', None, None, "asked to be called again"),
        (
            200,
            f'{{"status": "retry", "after": {10**400}}}',
            None,
            None,
            "asked to be called again",
        ),
        (429, "", "7", 7, "answered 429"),
        (503, "", "120", 120, "answered 503"),
        (503, "", "Fri, 31 Dec 2199 23:59:59 GMT", 86400, "answered 503"),
        (500, "", None, None, "answered 500"),
        (408, "", None, None, "answered 408"),
    ],
)
async def test_again_later(
    receiver: Receiver,
    online: Online,
    status: int,
    answer: str,
    retry_after: str | None,
    after: float | None,
    words: str,
) -> None:
    """What may be cured is tried again, not before the time that was asked for."""
    receiver.status, receiver.answer = status, answer
    receiver.headers = {"Retry-After": retry_after} if retry_after else {}
    with pytest.raises(TransientError, match=words) as error:
        await online(inside(receiver), SMS)
    assert error.value.after == after
    assert error.value.only_this is (status == 200)


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, '{"status": "failed", "reason": "no such customer"}', "no such customer"),
        (200, '{"status": "failed"}', "answered that it failed"),
        (200, '{"status": "Failed"}', "answered that it failed"),
        (301, "", "redirects are not followed"),
        (400, '{"status": "done"}', "answered 400"),
        (401, "", "answered 401"),
        (410, "", "gone for good"),
    ],
)
async def test_never(
    receiver: Receiver, online: Online, status: int, answer: str, words: str
) -> None:
    """What no attempt can cure fails at once; a redirect is not followed."""
    receiver.status, receiver.answer = status, answer
    receiver.headers = {"Location": receiver.url} if status == 301 else {}
    with pytest.raises(PermanentError, match=words):
        await online(inside(receiver), SMS)
    assert len(receiver.posts) == 1


async def test_addresses_inside(receiver: Receiver, online: Online) -> None:
    """One is called only if an option names it; `check` says so too and posts nothing."""
    with pytest.raises(PermanentError, match="not a public address"):
        await online(made(receiver.url), SMS)
    with pytest.raises(PermanentError, match="not a public address"):
        await made(receiver.url).check()
    assert await inside(receiver, secret=NEW).check() == (
        "127.0.0.1 can be reached; messages are signed"
    )
    assert receiver.posts == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secret": "hello"}, "24 to 64 random bytes"),
        ({"secret": f"{NEW},"}, "24 to 64 random bytes"),
        ({"secret": "whsec_" + base64.b64encode(b"x" * 23).decode()}, "24 to 64 random bytes"),
        ({"allow": ["intranet"]}, "network"),
        ({"files": "links"}, "'none', 'inline', 'link' or 'multipart'"),
        ({"headers": {"Content-Type": "a/b"}}, "is set by Ringpost itself"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "no header can hold"),
        ({"headers": {"X A": "b"}}, "is no name of a header"),
    ],
)
def test_options(options: dict[str, Any], words: str) -> None:
    """Wrong ones are refused at start, and no secret is told."""
    with pytest.raises(ValidationError, match=words) as error:
        made("https://example.com/hook", **options)
    assert "hello" not in str(error.value)
