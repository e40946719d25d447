"""The email handler against a real SMTP server: what arrives, and what becomes of refusals."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from message_store.errors import NotFound, RingCentralError, ServerError
from message_store.message import Message
from worker.handlers.conformance import Bench, HandlerConformance
from worker.handlers.conformance_cases import (
    CASES,
    FAX,
    HOSTILE,
    MAILBOX,
    MMS,
    SMS,
    VOICEMAIL,
    Case,
)
from worker.handlers.conformance_fakes import FakeLinks, FakeNetwork, FakeStore
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import Handler, PermanentError, TransientError
from worker.handlers.email import Email
from worker.spool import Spool

Peer = Any  # the conftest's SmtpPeer: conftest modules cannot be imported
Start = Callable[..., Peer]


def email(url: str, **options: Any) -> Email:
    defaults = {"from": "Office phone <phone@example.com>", "to": ["office@example.com"]}
    return Email.model_validate({"smtp": url, **defaults, **options})


@pytest.fixture
async def send(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Awaitable[str]]:
    """`await send(handler, case, attempt)`: the handler's words; the handler stays open.

    Without `links` it is as if LINKS_URL were not set.
    """

    async def send(
        handler: Handler,
        case: Case,
        number: int = 1,
        links: FakeLinks | None = None,
        **happened: Any,
    ) -> str:
        bench = Bench(case, tmp_path_factory.mktemp("spool"))
        bench.links = links
        return await bench.attempt(handler, number, **happened)

    return send


Send = Callable[..., Awaitable[str]]


class TestConformance(HandlerConformance):
    """The email handler passes the suite for all handlers."""

    options: ClassVar[dict[str, str]] = {}

    @pytest.fixture(autouse=True)
    def peer(self, smtp_peer: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LINKS_URL", "https://links.example.com")
        self.server = smtp_peer(decode_data=False)

    def make_handler(self) -> Handler:
        return email(self.server.url, **self.options)

    def break_peer(self) -> AbstractContextManager[object]:
        @contextmanager
        def hung_up() -> Iterator[None]:
            self.server.temper.hang_up = True
            yield
            self.server.temper.hang_up = False

        return hung_up()


class TestConformanceWithLinks(TestConformance):
    """So it does with links to files."""

    options: ClassVar[dict[str, str]] = {"files": "link"}


class TestConformanceInPrivate(TestConformance):
    """And with everything behind a link."""

    options: ClassVar[dict[str, str]] = {"content": "link"}


class TestConformanceBeyondItsSize(TestConformance):
    """And where every file is too large."""

    options: ClassVar[dict[str, str]] = {"max_size": "1KB"}


class TestConformanceOfDigests(TestConformance):
    """And where messages are gathered."""

    options: ClassVar[dict[str, str]] = {"digest": "daily 18:00"}


def attachments(mail: EmailMessage) -> dict[str | None, tuple[str, Any]]:
    return {
        part.get_filename(): (part.get_content_type(), part.get_payload(decode=True))
        for part in mail.walk()
        if part.get_filename() is not None
    }


async def test_a_fax_arrives(smtp_peer: Start, send: Send) -> None:
    """A parser finds sender, recipients, subject, both texts and the file intact."""
    peer = smtp_peer()
    handler = email(peer.url, to=["Zoë <a@example.com>", "b@example.com"])
    assert await send(handler, FAX) == "mailed to 2 recipients"
    await handler.close()
    (received,) = peer.temper.received
    mail = received.mail
    assert received.sender == "phone@example.com"
    assert received.recipients == ["a@example.com", "b@example.com"]
    assert mail["From"] == "Office phone <phone@example.com>"
    assert mail["To"] == "Zoë <a@example.com>, b@example.com"
    assert mail["Subject"] == "Fax from Jane Doe (+16505550100), 3 pages"
    assert mail["Date"] == "Sun, 23 Nov 2025 14:17:08 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Ringpost-Type"] == "Fax"
    assert mail["X-Ringpost-Mailbox"] == "230919004/230919005"
    assert mail["Message-ID"].endswith(".ringpost@example.com>")
    plain, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Received: 23 Nov 2025, 14:17 UTC" in plain.get_content()
    assert "Front desk (+16505550111)" in html.get_content()
    assert attachments(mail) == {"document-501.pdf": ("application/pdf", FAX.contents["501"])}
    assert all(len(line) <= 998 for line in received.raw.split(b"\r\n"))
    assert not [part.defects for part in mail.walk() if part.defects]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_every_file_arrives_intact(case: Case, smtp_peer: Start, send: Send) -> None:
    """Whatever is in it, dots and line ends included, an attachment comes out as it went in."""
    peer = smtp_peer()
    handler = email(peer.url)
    await send(handler, case)
    await handler.close()
    found = sorted(content for _, content in attachments(peer.temper.received[0].mail).values())
    assert found == sorted(case.contents.values())


@pytest.mark.parametrize(
    ("on", "subject", "files"),
    [
        ("transcribed", "Transcription of a voicemail from Jane Doe (+16505550100), 0:42", 2),
        ("read", "Read: Voicemail from Jane Doe (+16505550100), 0:42", 0),
    ],
)
async def test_what_happens_later_is_a_mail_of_its_own(
    smtp_peer: Start, send: Send, on: str, subject: str, files: int
) -> None:
    """It has time, subject and identity of what happened, and the files where they matter."""
    peer = smtp_peer()
    handler = email(peer.url)
    await send(handler, VOICEMAIL)
    await send(handler, VOICEMAIL, on=on, at="2025-11-25T10:00:00.000+00:00")
    await handler.close()
    first, second = (received.mail for received in peer.temper.received)
    assert second["Subject"] == subject
    assert second["Date"] == "Tue, 25 Nov 2025 10:00:00 +0000"
    assert (first["X-Ringpost-On"], second["X-Ringpost-On"]) == ("created", on)
    assert first["Message-ID"] != second["Message-ID"]
    assert len(attachments(second)) == files


@pytest.mark.parametrize("options", [{}, {"subject": "From {{ message.sender }}"}])
async def test_what_happens_later_follows_in_the_thread(
    smtp_peer: Start, send: Send, options: dict[str, str]
) -> None:
    """An amendment answers the first mail, has its subject, and says in its text what happened."""
    peer = smtp_peer()
    handler = email(peer.url, **options)
    await send(handler, VOICEMAIL)
    at = "2025-11-25T10:00:00.000+00:00"
    await send(handler, VOICEMAIL, on="transcribed", at=at, amends=True)
    await send(handler, VOICEMAIL, 2, on="transcribed", at=at, amends=True)
    await handler.close()
    first, second, repeated = (received.mail for received in peer.temper.received)
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"] == f"{first['References']} {first['Message-ID']}"
    assert second["Message-ID"] == repeated["Message-ID"] != first["Message-ID"]
    assert second["Subject"] == f"Re: {first['Subject']}"
    plain = second.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Transcription of a voicemail from Jane Doe")
    assert len(attachments(second)) == 2


async def test_what_fails_later_has_the_subject_of_the_first(smtp_peer: Start, send: Send) -> None:
    """Gmail shows both as one thread only then; that it failed stands in the text."""
    peer = smtp_peer()
    handler = email(peer.url)
    sent = {**SMS.wire, "direction": "Outbound", "messageStatus": "Sent"}
    failed = {**sent, "messageStatus": "DeliveryFailed"}
    await send(handler, Case(sent))
    at = "2025-11-25T10:00:00.000+00:00"
    await send(handler, Case(failed), on="failed", at=at, amends=True)
    await handler.close()
    first, second = (received.mail for received in peer.temper.received)
    assert second["Subject"] == f"Re: {first['Subject']}"
    plain = second.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Not delivered: Text message to Front desk")


async def test_a_stranger_writes_no_header(smtp_peer: Start, send: Send) -> None:
    """Line ends in names, types and texts make no header, no recipient, no markup, no type."""
    peer = smtp_peer()
    handler = email(peer.url, subject="{{ message.sender }} {{ message.subject }}")
    await send(handler, HOSTILE)
    await handler.close()
    (received,) = peer.temper.received
    assert received.recipients == ["office@example.com"]
    assert received.mail["Bcc"] is None
    assert "\n" not in received.mail["Subject"]
    html = received.mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "<b>" not in html.get_content()
    kinds = {kind for kind, _ in attachments(received.mail).values()}
    assert kinds <= {"application/octet-stream", "application/pdf"}
    names = attachments(received.mail)
    assert "Rechnung für “Łódź” 日本.pdf" in names
    assert not [name for name in names if "/" in str(name) or "\n" in str(name)]


ENCODED = [
    "=?utf-8?q?hello=0d=0aBcc:_evil@example.com=0d=0a=0d=0abody?=",
    "=?utf-8?q?=00=1b=5b31m?=",
    "=?utf-8?b?4oCuYWJj?=",
]


@pytest.mark.parametrize("text", ENCODED)
@pytest.mark.parametrize("subject", ["", "{{ message.text }}"])
async def test_encoded_words_of_a_stranger(
    text: str, subject: str, smtp_peer: Start, send: Send
) -> None:
    """RFC 2047's words in a name or a text, even in a template's, end up as plain letters."""
    peer = smtp_peer()
    handler = email(peer.url, subject=subject)
    await send(handler, Case({**SMS.wire, "subject": text, "from": {"name": text}}))
    await handler.close()
    (received,) = peer.temper.received
    assert received.recipients == ["office@example.com"]
    assert received.mail["Bcc"] is None
    assert text.replace("=?", "= ?") in received.mail["Subject"]
    assert received.mail["Subject"].isprintable()
    assert received.mail.get_content_type() == "multipart/mixed"


async def test_texts_and_templates(smtp_peer: Start, send: Send) -> None:
    """An SMS carries its text, a voicemail its transcription; templates take their place."""
    peer = smtp_peer()
    plain = email(peer.url)
    own = email(peer.url, subject="{{ message.type }}!", text="Call {{ message.from.name }}")
    for handler, case in ((plain, SMS), (plain, VOICEMAIL), (plain, MMS), (own, SMS)):
        await send(handler, case)
    for handler in (plain, own):
        await handler.close()
    mails = [received.mail for received in peer.temper.received]
    assert [mail["Subject"] for mail in mails] == [
        "Text message from Jane Doe (+16505550100)",
        "Voicemail from Jane Doe (+16505550100), 0:42",
        "MMS from Jane Doe (+16505550100)",
        "SMS!",
    ]
    texts = [str(body.get_content()) for mail in mails if (body := mail.get_body(("plain",)))]
    assert "Are you open today?" in texts[0]
    assert texts[1].splitlines()[2:5] == ["What was said:", "Please call me back. Grüße!", ""]
    assert "Call Jane Doe" in texts[3]
    assert "Are you open" not in texts[3]


async def test_pictures_stand_in_the_mail(smtp_peer: Start, send: Send) -> None:
    """An MMS shows its pictures, each once; one that is empty is a file, which nobody misses."""
    peer = smtp_peer()
    handler = email(peer.url)
    await send(handler, MMS)
    await handler.close()
    (received,) = peer.temper.received
    html = received.mail.get_body(("html",))
    assert html is not None
    shown = [part for part in received.mail.walk() if part["Content-ID"]]
    assert [part.get_filename() for part in shown] == ["a-5.png"]
    assert html.get_content().count("<img") == 1
    assert f'src="cid:{shown[0]["Content-ID"].strip("<>")}"' in html.get_content()
    assert len(attachments(received.mail)) == 2


async def test_copies_and_answers(smtp_peer: Start, send: Send) -> None:
    """All recipients get it once; those of bcc are in no header; answers go where they should."""
    peer = smtp_peer()
    handler = email(
        peer.url,
        to=["a@example.com"],
        cc=["Bo <b@example.com>", "a@example.com"],
        bcc=["c@example.com"],
        reply_to=["help@example.com"],
    )
    assert await send(handler, SMS) == "mailed to 3 recipients"
    await handler.close()
    (received,) = peer.temper.received
    assert received.recipients == ["a@example.com", "b@example.com", "c@example.com"]
    assert received.mail["Cc"] == "Bo <b@example.com>, a@example.com"
    assert received.mail["Reply-To"] == "help@example.com"
    assert b"c@example.com" not in received.raw


async def test_a_conversation_is_a_thread(smtp_peer: Start, send: Send) -> None:
    """Mails of one conversation refer to one root, as do those of one message's life; no others."""
    peer = smtp_peer()
    handler = email(peer.url)
    newer = {"conversationId": None, "conversation": {"id": "5439834568291730433"}}
    for case in (SMS, Case({**SMS.wire, **newer, "id": 9}), VOICEMAIL, FAX):
        await send(handler, case)
    await send(handler, VOICEMAIL, on="transcribed", at="2025-11-25T10:00:00.000+00:00")
    await handler.close()
    mails = [received.mail for received in peer.temper.received]
    sms, answer, voicemail, fax, transcribed = (mail["References"] for mail in mails)
    assert sms == answer
    assert voicemail == transcribed
    assert len({sms, voicemail, fax}) == 3
    assert all(mail["In-Reply-To"] == mail["References"] != mail["Message-ID"] for mail in mails)


async def test_without_files(smtp_peer: Start, send: Send) -> None:
    """The mail says what it can, a voicemail its transcription, and nothing is attached."""
    peer = smtp_peer()
    handler = email(peer.url, files="none", zone="Europe/Berlin")
    await send(handler, VOICEMAIL)
    await handler.close()
    (received,) = peer.temper.received
    body = received.mail.get_body(("plain",))
    assert body is not None
    assert "Please call me back. Grüße!" in body.get_content()
    assert "15:17 CET" in body.get_content()
    assert attachments(received.mail) == {}


async def test_a_repeat_is_recognisable(smtp_peer: Start, send: Send) -> None:
    """Two attempts at one delivery have one Message-ID, another message has another."""
    peer = smtp_peer()
    handler = email(peer.url)
    for case in (FAX, FAX, SMS):
        await send(handler, case)
    await handler.close()
    ids = [received.mail["Message-ID"] for received in peer.temper.received]
    assert ids[0] == ids[1] != ids[2]


async def test_a_burst_uses_one_connection(smtp_peer: Start, send: Send) -> None:
    """Mails one after the other go over one connection; one closed by the server is replaced."""
    peer = smtp_peer()
    handler = email(peer.url)
    for _ in range(3):
        await send(handler, SMS)
    assert peer.temper.connections == 1
    peer.temper.hang_up = True
    with pytest.raises(TransientError):
        await send(handler, SMS)
    peer.temper.hang_up = False
    await send(handler, SMS)
    assert peer.temper.connections == 2
    await handler.close()


@pytest.mark.parametrize(
    ("answer", "kind"), [("451 4.3.0 later", TransientError), ("554 5.7.1 no", PermanentError)]
)
async def test_a_refused_mail(
    smtp_peer: Start, send: Send, answer: str, kind: type[Exception]
) -> None:
    """4xx is tried again, 5xx given up, and the connection serves the next mail."""
    peer = smtp_peer()
    handler = email(peer.url)
    peer.temper.data.append(answer)
    with pytest.raises(kind, match=answer):
        await send(handler, FAX)
    await send(handler, FAX)
    assert (len(peer.temper.received), peer.temper.connections) == (1, 1)
    await handler.close()


async def test_a_recipient_refused_for_good(smtp_peer: Start, send: Send) -> None:
    """The others get the mail, and the outcome says who many did not, without an address."""
    peer = smtp_peer()
    peer.temper.rcpt["b@example.com"] = "550 5.1.1 <b@example.com> unknown"
    handler = email(peer.url, to=["a@example.com", "b@example.com"])
    words = await send(handler, FAX)
    assert words == "mailed to 1 of 2 recipients; refused: 550 5.1.1 <...> unknown"
    assert peer.temper.received[0].recipients == ["a@example.com"]
    peer.temper.rcpt["a@example.com"] = "550 no"
    with pytest.raises(PermanentError, match="refused every recipient: 550 no"):
        await send(handler, FAX)
    await handler.close()


async def test_a_recipient_put_off(smtp_peer: Start, send: Send) -> None:
    """It holds the mail for all at first, so that nobody gets it twice; later the others get it."""
    peer = smtp_peer()
    peer.temper.rcpt["b@example.com"] = "450 greylisted"
    handler = email(peer.url, to=["a@example.com", "b@example.com"])
    with pytest.raises(TransientError, match="put a recipient off: 450 greylisted"):
        await send(handler, FAX, 3)
    assert peer.temper.received == []
    assert "1 of 2" in await send(handler, FAX, 4)
    await handler.close()


async def test_a_mail_too_large(smtp_peer: Start, send: Send) -> None:
    """The server's limit is known before a byte of the mail goes out."""
    peer = smtp_peer(data_size_limit=100_000)
    handler = email(peer.url)
    with pytest.raises(PermanentError, match=r"the mail has 0\.1 MiB, .* takes 0\.1 MiB at most"):
        await send(handler, FAX)
    assert peer.temper.received == []
    await send(handler, SMS)
    await handler.close()


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("limit", ["the server's", "max_size"])
async def test_links_instead_of_files_too_large(smtp_peer: Start, send: Send, limit: str) -> None:
    """Beyond the limit there is a link to each file; below it files are attached as ever."""
    peer = smtp_peer(data_size_limit=100_000 if limit == "the server's" else 0)
    handler = email(peer.url, max_size=None if limit == "the server's" else "100KB")
    links = FakeLinks()
    assert await send(handler, FAX, links=links) == "mailed to 1 recipient, with 1 link"
    assert list(links.contents.values()) == [FAX.contents["501"]]
    assert await send(handler, MMS, links=links) == "mailed to 1 recipient"
    await handler.close()
    first, second = (received.mail for received in peer.temper.received)
    assert attachments(first) == {}
    assert "document-501.pdf (102 KB): https://links.example.com/1\n" in body(first)
    assert "A link opens once, until " in body(first)
    assert 'href="https://links.example.com/1"' in body(first, "html")
    assert len(attachments(second)) == 2


async def test_too_large_without_links(smtp_peer: Start, send: Send) -> None:
    """Where no links can be made it fails, and says what would help."""
    handler = email(smtp_peer().url, max_size="100KB")
    words = r"the mail has 1\d\d KB, more than max_size \(100 KB\); raise it, or set LINKS_URL"
    with pytest.raises(PermanentError, match=words):
        await send(handler, FAX)
    await handler.close()


async def test_private_content(
    smtp_peer: Start, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail says who and what kind, with a number of two digits; the rest is behind links."""
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    peer = smtp_peer()
    handler = email(peer.url, content="link", to=["a@example.com", "b@example.com"])
    links = FakeLinks()
    await send(handler, VOICEMAIL, links=links)
    await handler.close()
    (received,) = peer.temper.received
    assert received.mail["Subject"] == "Voicemail from Jane Doe (…00)"
    assert "https://links.example.com/3" in body(received.mail)
    assert "A link opens 2 times, until " in body(received.mail)
    for secret in ("6505550100", "call me back", "recording", "0:42", "Front desk"):
        assert secret not in body(received.mail) + body(received.mail, "html")
    *files, page = links.contents.values()
    assert files == list(VOICEMAIL.contents.values())
    assert "call me back" in page.decode()
    assert 'href="https://links.example.com/1"' in page.decode()


async def test_links_of_a_refused_mail_are_withdrawn(
    smtp_peer: Start, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has been told of is gone; after a failure for now it may have been told."""
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    peer = smtp_peer()
    handler = email(peer.url, files="link")
    links = FakeLinks()
    for answer, error, left in (("554 no", PermanentError, 0), ("451 later", TransientError, 1)):
        peer.temper.data.append(answer)
        with pytest.raises(error):
            await send(handler, FAX, links=links)
        assert len(links.contents) == left
    await handler.close()


@pytest.mark.parametrize("option", ["files", "content"])
def test_links_need_an_address(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LINKS_URL the option is refused at start, in one line."""
    monkeypatch.delenv("LINKS_URL", raising=False)
    with pytest.raises(ValidationError, match="needs LINKS_URL, the public address"):
        email("smtp://localhost", **{option: "link"})


def gathered(folder: Path, case: Case, **wire: object) -> tuple[Message, DeliveryContext]:
    """A message that is sent with others, and its context."""
    case = Case({**case.wire, **wire}, case.contents)
    store = FakeStore(case)
    context = DeliveryContext(
        mailbox=MAILBOX,
        message=case.message,
        route="Digests",
        step="mail",
        attempt=1,
        store=store,
        spool=Spool(folder / case.message.id, store),
        http=FakeNetwork(),
        links=FakeLinks(),
    )
    return case.message, context


async def test_a_digest(smtp_peer: Start, tmp_path: Path) -> None:
    """One mail has texts, pictures and files of all its messages, in order, and one identity."""
    peer = smtp_peer()
    handler = email(peer.url, digest="daily 18:00", zone="Europe/Berlin")
    answer = {"id": 9, "direction": "Outbound", "to": [SMS.wire["from"]], "subject": "Yes!"}
    messages = [
        gathered(tmp_path, SMS),
        gathered(tmp_path, MMS),
        gathered(tmp_path, VOICEMAIL),
        gathered(tmp_path, SMS, **answer),
    ]
    words = await handler._send_messages(messages, "a" * 64)
    assert words == "mailed to 1 recipient, 4 messages together"
    await handler.close()
    mail = peer.temper.received[0].mail
    assert mail["Subject"] == "4 messages with Jane Doe (+16505550100)"
    assert mail["Message-ID"] == f"<{'a' * 32}.ringpost@example.com>"
    text = body(mail)
    told = ["15:17 CET: Text message from Jane", "open today?", "Two pictures", "call me", "Yes!"]
    assert sorted(told, key=text.index) == told
    html = body(mail, "html")
    shown = [part["Content-ID"].strip("<>") for part in mail.walk() if part["Content-ID"]]
    assert [f"cid:{one}" in html for one in shown] == [True]
    assert {"recording-1.wav", "transcription-2.txt", "a-5.png"} < set(attachments(mail))


@pytest.mark.parametrize("files", ["attach", "link"])
@pytest.mark.parametrize(
    ("error", "attempt", "waits"),
    [(NotFound, 1, False), (ServerError, 4, True), (ServerError, 5, False)],
)
async def test_a_digest_does_without_a_file_that_is_gone(
    smtp_peer: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: str,
    error: type[RingCentralError],
    attempt: int,
    waits: bool,
) -> None:
    """It says so; a file that RingCentral only fails to give is waited for at first."""
    peer = smtp_peer()
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    handler = email(peer.url, digest="daily 18:00", files=files)
    gone = gathered(tmp_path, FAX)
    gone[1].attempt = attempt

    def fail(*_: object, **__: object) -> Any:
        raise error("the file is gone")

    gone[1].message_store.content = fail  # type: ignore[method-assign]
    sending = handler._send_messages([gone, gathered(tmp_path, SMS)], "a" * 64)
    if waits:
        with pytest.raises(error):
            await sending
        await handler.close()
        return
    await sending
    await handler.close()
    mail = peer.temper.received[0].mail
    assert attachments(mail) == {}
    assert "Files of some of these messages could not be had any more." in body(mail)
    assert "links.example.com" not in body(mail)


async def test_a_digest_too_large_has_links(smtp_peer: Start, tmp_path: Path) -> None:
    """Beyond max_size the files of all its messages are behind links."""
    peer = smtp_peer()
    handler = email(peer.url, digest="daily 18:00", max_size="150KB")
    await handler._send_messages([gathered(tmp_path, FAX), gathered(tmp_path, VOICEMAIL)], "a" * 64)
    await handler.close()
    mail = peer.temper.received[0].mail
    assert attachments(mail) == {}
    assert body(mail).count("https://links.example.com/") == 3


def test_a_digest_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be had with private content, and the line says which to leave out."""
    monkeypatch.setenv("LINKS_URL", "https://links.example.com")
    with pytest.raises(ValidationError, match='does not go with content = "link"'):
        email("smtp://localhost", digest="daily 18:00", content="link")


async def test_nobody_listens(send: Send) -> None:
    """A server that is not there is tried again."""
    words = r"no connection to 127\.0\.0\.1:1: .*correct the option smtp"
    with pytest.raises(TransientError, match=words):
        await send(email("smtp://127.0.0.1:1"), SMS)
