"""`notify`: what a service gets, and what its refusal means; Apprise against a real server."""

import base64
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from worker.handlers import notify
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import FAX, PDF, SMS, VOICEMAIL, Case
from worker.handlers.contract import Handler, PermanentError, TransientError
from worker.handlers.notify import Notify

Attempt = Callable[..., Awaitable[str]]


class Service(ThreadingHTTPServer):
    """Keeps what it is told; answers with `status`, or hangs up where that is None."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.told: list[dict[str, Any]] = []
        self.status: int | None = 200
        self.location = ""

    @property
    def address(self) -> str:
        return f"json://user:hush-hush@127.0.0.1:{self.server_port}/"

    @contextmanager
    def hanging_up(self) -> Iterator[None]:
        self.status = None
        yield
        self.status = 200


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status is None:
            return
        self.server.told.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with Service() as service:
        threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield service
        service.shutdown()


@pytest.fixture
def service(running: Service) -> Service:
    running.told.clear()
    running.status = 200
    return running


class TestConformance(HandlerConformance):
    """It passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def peer(self, service: Service) -> None:
        self.service = service

    def make_handler(self) -> Handler:
        return made(self.service.address)

    def break_peer(self) -> AbstractContextManager[object]:
        return self.service.hanging_up()


def made(to: str, **options: Any) -> Notify:
    return Notify.model_validate({"to": to, **options})


async def test_what_is_said(service: Service, attempt: Attempt) -> None:
    """What came and from whom, then the text, as text; a message without text needs no title."""
    assert await attempt(made(service.address), SMS) == "told JSON"
    await attempt(made(service.address, files=False), VOICEMAIL)
    sms, voicemail = service.told
    assert (sms["title"], sms["message"], sms["attachments"]) == (
        "Text message from Jane Doe (+16505550100)",
        "Are you open today?",
        [],
    )
    assert (voicemail["title"], voicemail["attachments"]) == ("", [])
    assert voicemail["message"].startswith("Voicemail from Jane Doe")


async def test_templates(service: Service, attempt: Attempt) -> None:
    """Title and text may be made otherwise."""
    handler = made(service.address, title="{{ route }}", text="{{ message.faxPageCount }} pages")
    await attempt(handler, FAX)
    assert (service.told[0]["title"], service.told[0]["message"]) == ("Conformance", "3 pages")


async def test_strangers_call_nobody(service: Service, attempt: Attempt) -> None:
    """What would wake everybody in a chat does so from the template only."""
    said = "@everyone @here <@U4711> <!channel> <@&9> @**all** <users/all> jane@example.com"
    loud = Case({**SMS.wire, "subject": said, "from": {"name": "@all"}})
    await attempt(made(service.address, text="@here {{ message.text }}"), loud)
    broken = "@\u200beveryone @here <@\u200bU4711> <\u200b!channel> <@\u200b&9> "
    broken += "@\u200b**all** <\u200busers/all> jane@example.com"
    assert service.told[0]["message"] == f"@here {broken}"
    assert service.told[0]["title"] == "Text message from @\u200ball"


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", 2000),
        ("pover://user@token", 1024),
        ("d7sms://token@15551231234", 160),
    ],
)
async def test_long_texts(attempt: Attempt, address: str, most: int) -> None:
    """They are cut to what the service takes, unless its address says what to do with them."""
    told: list[tuple[str, str]] = []

    def send(title: str, body: str, _files: object) -> bool:
        told.append((title, body))
        return True

    long = Case({**SMS.wire, "subject": "words " * 2000})
    for asked in ("", "?overflow=split"):
        handler = made(address + asked)
        handler.__dict__["_send"] = send
        await attempt(handler, long)
    (title, cut), (_, whole) = told
    with_title = f"{title}\r\n{cut}"
    assert most - 10 < len(cut if address.startswith("pover") else with_title) <= most
    assert cut.endswith("…")
    assert len(whole) == len("words " * 2000) - 1


async def test_files(service: Service, attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go along under their names; too much of them stays behind, and that is said."""
    await attempt(made(service.address), FAX)
    [file] = service.told[0]["attachments"]
    assert (file["filename"], file["mimetype"]) == ("document-501.pdf", "application/pdf")
    assert base64.b64decode(file["base64"]) == PDF
    monkeypatch.setattr(notify, "MOST_FILES", len(PDF) - 1)
    assert "without the files: more than" in await attempt(made(service.address), FAX)
    assert service.told[1]["attachments"] == []


async def test_a_service_without_files(attempt: Attempt) -> None:
    """It is told all the same; none is downloaded for it."""
    handler = made("d7sms://user:pass@15551231234")
    handler.__dict__["_send"] = lambda *_: True
    broken = Case(FAX.wire, {})
    assert (await attempt(handler, broken)).endswith(", which takes no files")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, PermanentError, "JSON answered 404; see whether `to` is still right"),
        (302, TransientError, "JSON answered 302"),
        (429, TransientError, "JSON answered 429"),
        (500, TransientError, "JSON answered 500"),
        (None, TransientError, "JSON could not be told"),
    ],
)
async def test_refusals(
    service: Service,
    attempt: Attempt,
    status: int | None,
    kind: type[Exception],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A plain no is final, anything else tried again; a redirect is not followed; no log tells."""
    service.status, service.location = status, "/elsewhere"
    with caplog.at_level(logging.DEBUG), pytest.raises(kind, match=words):
        await attempt(made(service.address), SMS)
    assert len(service.told) == (status is not None)
    assert "hush-hush" not in caplog.text


@pytest.mark.parametrize("to", ["slack", "slack://only-one", "nothing://a/b", "", "json://"])
def test_an_address_that_is_none(to: str) -> None:
    """It is refused at start with where to look, and not repeated."""
    with pytest.raises(ValidationError, match=r"no address that Apprise knows") as error:
        made(to)
    assert not to or to not in str(error.value)
