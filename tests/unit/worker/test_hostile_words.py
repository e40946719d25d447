"""What strangers, destinations and configurations say, on its way through the worker."""

import contextlib
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from tests.support.hostile import any_text, quick, texts, values
from worker.configuration import Sync, load
from worker.durations import parse_duration
from worker.handlers.contract import HandlerError, PermanentError, Reply
from worker.handlers.filenames import attachment_names, safe_id, safe_name
from worker.handlers.mail_text import headline, html_page, plain_page
from worker.handlers.mime import Mail
from worker.handlers.smtp_replies import reply_words
from worker.happenings import WORDS, State
from worker.ledger.records import Claim, Delivery, lane, read_lane
from worker.problems import ConfigurationError, Wrong
from worker.routes import Route
from worker.wording import in_brief

MESSAGES = st.builds(
    lambda subject, name, number, kind: Message.model_validate(
        {
            "id": "1",
            "subject": subject,
            "from": {"name": name, "phoneNumber": number},
            "type": kind,
        }
    ),
    texts,
    texts,
    texts,
    st.sampled_from(["SMS", "Fax", "VoiceMail"]) | texts,
)


@quick
@given(any_text | texts, st.sampled_from(WORDS))
def test_a_lane_is_a_route_and_a_word(name: str, on: str) -> None:
    """Whatever a configuration may call a route, the ledger's members come apart again."""
    try:
        route = Route.model_validate({"name": name, "steps": ["vault"]}).name
    except ValueError:
        return
    assert read_lane(lane(route, on)) == (route, on)
    claim = Claim(Mailbox("7", "101"), "5", route, "t", "{}", Delivery(), on=on)
    assert claim.member.split("\t", 2) == ["7/101", "5", lane(route, on)]


@quick
@given(st.dictionaries(texts, texts, max_size=3), texts, texts)
def test_a_delivery_is_kept(done: dict[str, str], step: str, reason: str) -> None:
    """What handlers said is read again from the ledger as it was written."""
    words = {in_brief(name): in_brief(said) for name, said in done.items()}
    delivery = Delivery(
        state="failed", attempts=3, done=words, step=in_brief(step), reason=in_brief(reason)
    )
    assert Delivery.from_json(delivery.to_json()) == delivery


@quick
@given(texts, texts, texts)
def test_a_state_is_kept(availability: str, read: str, status: str) -> None:
    """A fingerprint is the same after the ledger has kept it, whatever RingCentral calls things."""
    wire = {"id": "1", "creationTime": "2026-01-01T00:00:00Z", "availability": availability}
    state = State.of(Message.model_validate({**wire, "readStatus": read, "messageStatus": status}))
    assert str(State.parse(str(state))) == str(state)


@quick
@given(MESSAGES, texts)
def test_a_mail_has_our_headers_and_no_markup_of_theirs(message: Message, file: str) -> None:
    """A header is one line whatever is in a name or text; in HTML nothing of it is markup."""
    subject = headline(message)
    assert subject.isprintable() or not set(subject) & set("\r\n\0")
    mail = Mail({"Subject": subject}, plain_page(message, "", []), "<p>", [])
    first = mail._parts[0]
    assert isinstance(first, bytes)
    head = first.partition(b"\r\n\r\n")[0]
    assert {line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"} <= {
        b"Subject",
        b"MIME-Version",
        b"Content-Type",
    }
    page = html_page(message, "", [safe_name(file)])
    assert "<script" not in page
    page.encode()


# One name to a file system or a reader, in many spellings.
ALIKE = ["a.pdf", "A.PDF", "a.pdf.", "a\u200b.pdf", "\xe1.pdf", "a\u0301.pdf", "A\u0301.pdf"]
NAMES = st.sampled_from([*ALIKE, "\u212a.txt", "k.txt", "Manifest.JSON"]) | texts


@quick
@given(st.lists(st.tuples(texts, NAMES, texts), max_size=8))
def test_names_on_disk_never_meet(parts: list[tuple[str, str, str]]) -> None:
    """Each attachment has a name of its own, also where case and Unicode forms are one."""
    attachments = [
        Attachment(id=f"{place}{id_}", file_name=name, content_type=kind)
        for place, (id_, name, kind) in enumerate(parts)
    ]
    names = attachment_names(attachments, ("message.json", "manifest.json"))
    folded = [
        unicodedata.normalize("NFC", name.casefold())
        for name in [*names, "message.json", "manifest.json"]
    ]
    assert len(set(folded)) == len(folded)
    for name in names:
        assert name == Path(name).name
        assert len(name.encode()) <= 150
        assert not name.startswith(".")


@quick
@given(texts | any_text)
def test_an_id_is_one_part_of_a_path(text: str) -> None:
    """It climbs nowhere, hides nothing and says nothing twice."""
    part = safe_id(text)
    assert part == Path(part).name
    assert part.isascii()
    assert part.isprintable()
    assert len(part) < 80


@quick
@given(st.integers(-1, 999), texts | any_text)
def test_smtp_replies(code: int, text: str) -> None:
    """A server's words are one short line without a mail address."""
    words = reply_words(code, text + " <victim@example.com> " + text)
    assert "victim@" not in words
    assert len(words) < 180
    assert not set(words) & set("\r\n\0\x1b\u202e")


@quick
@given(st.binary(max_size=100) | texts.map(lambda text: text.encode("utf-8", "replace")), texts)
def test_replies_to_handlers(body: bytes, header: str) -> None:
    """JSON or a PermanentError; a time to wait or none."""
    reply = Reply(200, {"Retry-After": header}, body)
    with contextlib.suppress(PermanentError):
        reply.json()
    assert reply.retry_after is None or 0 <= reply.retry_after < 10**9


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b"\xff", b""])
def test_hostile_replies(body: bytes) -> None:
    """Depth and size of an answer are its own fault, not an accident of ours."""
    with pytest.raises(HandlerError, match="is not JSON"):
        Reply(200, {}, body).json()


@quick
@given(st.from_regex(r"\A[0-9]{0,12}[smhdwx ]{0,2}([0-9]{1,3}[smhdw])*\Z") | texts)
def test_durations_of_any_text(text: str) -> None:
    """A length of time within a hundred years, or one plain refusal."""
    with contextlib.suppress(Wrong):
        assert timedelta(0) < parse_duration(text) <= timedelta(days=36500)


def test_a_start_outside_the_calendar() -> None:
    """It is refused when it is read, not when it is used."""
    with pytest.raises(ValidationError, match="outside the calendar"):
        Sync.model_validate({"start": "0001-01-01T00:00:00+23:59"})


SECTIONS = ["sync", "subscriptions", "handlers", "routes", "accounts", "mailboxes"]


def _toml(value: Any) -> str:
    """A value as TOML writes it; what TOML has no word for is left to be refused."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case str():
            return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in value) + '"'
        case _:
            return str(value)


@settings(quick, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(SECTIONS) | texts, values, max_size=4).map(
        lambda tables: "\n".join(f"{_toml(key)} = {_toml(v)}" for key, v in tables.items()).encode(
            "utf-8", "replace"
        )
    )
    | st.binary(max_size=100)
    | st.sampled_from(
        [
            b"a = " + b"[" * 5000,
            b"a = " + b"{a=" * 3000,
            b"a." * 2000 + b"b = 1",
            b"a = " + b"1" * 5000,
            b"mailboxes = 99999-99-99",
        ]
    )
)
def test_any_configuration(tmp_path: Path, text: bytes) -> None:
    """Whatever stands in the file, it is refused in lines that name the file."""
    path = tmp_path / "ringpost.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    assert caught.value.problems
    assert all(str(path) in line for line in caught.value.problems)
