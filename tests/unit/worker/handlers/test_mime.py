"""A mail as a stream of bytes."""

import re
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.handlers.contract import TransientError
from worker.handlers.mime import HeaderValue, Mail, MailFile, encoded_length

NAME = "日本 " * 20 + "x.pdf"
HEADERS = {"From": "a@example.com", "To": "b@example.com", "Subject": "Grüße " * 30}


async def wire(mail: Mail) -> bytes:
    """The mail as a server has it after taking the stuffed dots out."""
    stuffed = b"".join([chunk async for chunk in mail.chunks()])
    assert b"\r\n.\r\n" not in stuffed
    return re.sub(rb"(?m)^\.\.", b".", stuffed)


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 114, 57 * 4096, 57 * 4096 + 1, 1_000_000])
async def test_files_come_out_as_they_went_in(size: int, tmp_path: Path) -> None:
    """From memory and from disk, whatever the length, and `size` is exact beforehand."""
    content = (b"\r\n.\r\nFrom x\r\n" * (size // 10 + 1))[:size]
    path = tmp_path / "x"
    path.write_bytes(content)
    files = [
        MailFile("a.bin", "application/octet-stream", content, size),
        MailFile(NAME, "application/pdf", path, size),
    ]
    mail = Mail(HEADERS, ".\n..\nFrom here\n" + "x" * 2000, "<p>.</p>", files)
    raw = await wire(mail)
    assert len(raw) == mail.size
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    parsed = message_from_bytes(raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    attached = [part for part in parsed.iter_attachments() if isinstance(part, EmailMessage)]
    assert [part.get_content() for part in attached] == [content, content]
    assert attached[1].get_filename() == NAME
    body = parsed.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text == ".\n..\nFrom here\n" + "x" * 2000 + "\n"


async def test_pictures_are_related_to_the_text(tmp_path: Path) -> None:
    """They stand with the HTML under their ids, from memory and from disk; files come after."""
    path = tmp_path / "x"
    path.write_bytes(b".\r\n" * 70_000)
    files = [
        MailFile("a.pdf", "application/pdf", b"%PDF", 4),
        MailFile("a.png", "image/png", b"\x89PNG", 4, "1.x@example.com"),
        MailFile("b.png", "image/png", path, 210_000, "2.x@example.com"),
    ]
    mail = Mail(HEADERS, "text", '<img src="cid:1.x@example.com">', files)
    raw = await wire(mail)
    assert len(raw) == mail.size
    parsed = message_from_bytes(raw, policy=default)
    assert not [part.defects for part in parsed.walk() if part.defects]
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "image/png",
        "application/pdf",
    ]
    first, second = (part for part in parsed.walk() if part.get_content_type() == "image/png")
    assert isinstance(first, EmailMessage)
    assert isinstance(second, EmailMessage)
    assert (first["Content-ID"], first.get_filename()) == ("<1.x@example.com>", "a.png")
    assert first.get_content_disposition() == "inline"
    assert (first.get_content(), second.get_content()) == (b"\x89PNG", path.read_bytes())


@given(st.integers(0, 500))
def test_encoded_length(size: int) -> None:
    """It is what base64 in lines of 76 takes."""
    lines = -(-((size + 2) // 3 * 4) // 76)
    assert encoded_length(size) == (size + 2) // 3 * 4 + 2 * lines


async def test_a_file_cut_short_is_noticed(tmp_path: Path) -> None:
    """A spooled file that is not as long as announced ends the mail, and so does a missing one."""
    path = tmp_path / "x"
    path.write_bytes(b"123")
    for size, gone in ((4, False), (3, True)):
        if gone:
            path.unlink()
        with pytest.raises(TransientError, match=r"x\.pdf (lacks 1 bytes|cannot be read)"):
            await wire(Mail(HEADERS, "", "", [MailFile("x.pdf", "application/pdf", path, size)]))


ENCODED = [
    "=?utf-8?q?hello=0d=0aBcc:_evil@example.com=0d=0a=0d=0abody?=",
    "=?utf-8?q?=00=1b=5b31m?= x",
    "=?utf-8?b?4oCuYWJj?=",
    "=?=?utf-8?q?=0aBcc:_a@example.com?=",
]


@pytest.mark.parametrize("text", ENCODED)
async def test_encoded_words_stay_as_they_are_written(text: str) -> None:
    """A name with an encoded word in it makes no line, no control and no direction character."""
    headers: dict[str, HeaderValue] = {
        "From": Address(text, "a", "example.com"),
        "To": (Address(text, "b", "example.com"),),
        "Subject": text,
    }
    files = [MailFile(f"{text}.pdf", "application/pdf", b"%PDF", 4)]
    parsed = message_from_bytes(await wire(Mail(headers, "p", "h", files)), policy=default)
    assert isinstance(parsed, EmailMessage)
    assert {"Bcc"} & set(parsed.keys()) == set()
    assert str(parsed["Subject"]) == text.replace("=?", "= ?")
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    (file,) = parsed.iter_attachments()
    for shown in (str(parsed["From"]), str(parsed["To"]), file.get_filename() or ""):
        assert shown.isprintable()
        assert "= ?" in shown


def test_no_line_end_in_a_header() -> None:
    """What slipped through to a header is refused, never sent."""
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        Mail({"Subject": "a\r\nBcc: b@example.com"}, "", "", [])
