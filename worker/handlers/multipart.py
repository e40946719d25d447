"""Bodies of HTTP calls that can be read twice: JSON, and a form with files read from disk."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of the body: a path, or its bytes if it is small."""

    name: str
    content_type: str
    content: Path | bytes
    size: int


class JsonBody:
    """A JSON document."""

    content_type = "application/json"

    def __init__(self, document: dict[str, Any]) -> None:
        self._body = json.dumps(document).encode()
        self.size = len(self._body)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body in one piece."""
        yield self._body


class FormBody:
    """A JSON part named `message` and a part for each file; the same bytes each time it is read."""

    def __init__(self, document: dict[str, Any], files: list[FilePart]) -> None:
        boundary = f"ringpost-{uuid4().hex}"  # what no sender of a file can foresee
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._files = files
        self._heads = [
            _head(boundary, f'name="file"; filename="{_quoted(file.name)}"', file.content_type)
            for file in files
        ]
        self._start = _head(boundary, 'name="message"', "application/json")
        self._start += json.dumps(document).encode() + b"\r\n"
        self._end = f"--{boundary}--\r\n".encode()

    @property
    def size(self) -> int:
        """How many bytes it has."""
        files = sum(len(head) + file.size + 2 for head, file in self._parts())
        return len(self._start) + files + len(self._end)

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body in pieces of at most 256 KiB."""
        yield self._start
        for head, file in self._parts():
            yield head
            if isinstance(file.content, bytes):
                yield file.content
            else:
                with await asyncio.to_thread(file.content.open, "rb") as opened:
                    while chunk := await asyncio.to_thread(opened.read, _CHUNK):
                        yield chunk
            yield b"\r\n"
        yield self._end

    def _parts(self) -> Iterator[tuple[bytes, FilePart]]:
        return zip(self._heads, self._files, strict=True)


def _head(boundary: str, disposition: str, content_type: str) -> bytes:
    lines = [
        f"--{boundary}",
        f"Content-Disposition: form-data; {disposition}",
        f"Content-Type: {content_type}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _quoted(name: str) -> str:
    """A file name as browsers write it in a form: UTF-8, the characters that would end it escaped.

    Source: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
    """
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
