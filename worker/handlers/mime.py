"""A mail as a stream of bytes: small parts built whole, files encoded from disk as they go."""

import asyncio
import binascii
import re
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from pathlib import Path

from worker.handlers.contract import TransientError

# 7 bits and lines of 76 pass every server; a quarter MiB per chunk keeps memory flat.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)
_LINE = 57
_CHUNK = _LINE * 4096
_LEADING_DOT = re.compile(rb"(?m)^\.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

HeaderValue = str | Address | tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file to attach: safe name, media type, content or where it is, length in bytes.

    One with a `content_id` is a picture that the HTML shows.
    """

    name: str
    content_type: str
    content: Path | bytes
    size: int
    content_id: str = ""

    def header(self) -> bytes:
        """The part's header with its empty line; names beyond ASCII as RFC 2231 says."""
        part = MIMEPart(policy=_POLICY)
        main, _, sub = self.content_type.partition("/")
        charset = {"charset": "utf-8"} if main == "text" else {}
        disposition = "inline" if self.content_id else "attachment"
        part.set_content(
            b"", main, sub, disposition=disposition, filename=literal(self.name), params=charset
        )
        if self.content_id:
            part["Content-ID"] = f"<{self.content_id}>"
        return part.as_bytes().rstrip(b"\r\n") + b"\r\n\r\n"


class Mail:
    """A complete mail; `size` is what SMTP's SIZE means: octets before dot-stuffing.

    Pictures of the HTML are related to it (RFC 2387), other files come after it.
    Without a `boundary` it has one that nobody can foresee.
    """

    def __init__(
        self,
        headers: Mapping[str, HeaderValue],
        plain: str,
        html: str,
        files: Sequence[MailFile],
        boundary: str | None = None,
    ) -> None:
        mark = boundary or secrets.token_hex(16)
        mixed, related = f"=_{mark}", f"=_related_{mark}"
        pictures = [file for file in files if file.content_id]
        body = EmailMessage(policy=_POLICY)
        body.set_content(plain)
        body.add_alternative(html, subtype="html")
        body.set_boundary(f"=_text_{mark}")
        del body["MIME-Version"]
        if pictures:
            body = _around(body, "multipart/related", related)
            body.set_param("type", "multipart/alternative")
        outer = EmailMessage(policy=_POLICY)
        for name, value in headers.items():
            outer[name] = _literal(value)
            if _CONTROL.search(str(outer[name])):
                raise ValueError(f"a control character in the header {name}")
        outer["MIME-Version"] = "1.0"
        _around(body, "multipart/mixed", mixed, outer)
        head, _, _ = outer.as_bytes().partition(_end(related if pictures else mixed))
        parts: list[bytes | MailFile] = [head]
        for picture in pictures:
            parts += [f"--{related}\r\n".encode() + picture.header(), picture]
        if pictures:
            parts.append(_end(related))
        for file in files:
            if not file.content_id:
                parts += [f"--{mixed}\r\n".encode() + file.header(), file]
        self._parts = [*parts, _end(mixed)]
        self.size = sum(
            len(part) if isinstance(part, bytes) else encoded_length(part.size)
            for part in self._parts
        )

    async def chunks(self, *, stuffed: bool = True) -> AsyncGenerator[bytes]:
        """The mail for SMTP's DATA: dot-stuffed, CRLF line ends, without the final dot.

        Not `stuffed` it is as a file of its own. Raises TransientError if a file cannot be read or
        is not as long as it was.
        """
        dots = b".." if stuffed else b"."
        for part in self._parts:
            if isinstance(part, bytes):
                yield _LEADING_DOT.sub(dots, part)
            else:
                async for chunk in _encoded(part):
                    yield chunk


def _around(
    inner: EmailMessage, content_type: str, boundary: str, outer: EmailMessage | None = None
) -> EmailMessage:
    outer = EmailMessage(policy=_POLICY) if outer is None else outer
    outer["Content-Type"] = content_type
    outer.set_boundary(boundary)
    outer.attach(inner)
    return outer


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode()


def literal(text: str) -> str:
    """The text without a beginning of RFC 2047's encoded words.

    The standard library decodes them in whatever a header is given, line ends and all.
    """
    return text.replace("=?", "= ?")


def encoded_length(size: int) -> int:
    """How many octets so many bytes take in base64 with CRLF after each line of 76."""
    full, rest = divmod(size, _LINE)
    return full * 78 + ((rest + 2) // 3 * 4 + 2 if rest else 0)


def _literal(value: HeaderValue) -> HeaderValue:
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Address):
        return Address(literal(value.display_name), value.username, value.domain)
    return tuple(Address(literal(a.display_name), a.username, a.domain) for a in value)


async def _encoded(file: MailFile) -> AsyncGenerator[bytes]:
    if isinstance(file.content, bytes):
        yield _base64_lines(file.content)
        return
    for start in range(0, file.size, _CHUNK):
        length = min(_CHUNK, file.size - start)
        try:
            data = await asyncio.to_thread(_piece, file.content, start, length)
        except OSError as error:
            raise TransientError(f"{file.name} cannot be read: {error.strerror}") from error
        if len(data) < length:
            raise TransientError(f"{file.name} lacks {length - len(data)} bytes on disk")
        yield _base64_lines(data)


def _piece(path: Path, start: int, length: int) -> bytes:
    # Opened for each piece: a file opened for somebody who is then cancelled would stay open.
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _base64_lines(data: bytes) -> bytes:
    text = binascii.b2a_base64(data, newline=False)
    if not text:
        return b""
    lines = [text[start : start + 76] for start in range(0, len(text), 76)]
    return b"\r\n".join(lines) + b"\r\n"
