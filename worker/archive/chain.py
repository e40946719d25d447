"""A chain for each mailbox and month: a line for each folder, each with the digest of the last.

`<account>/<extension>/<YYYY>/<MM>/chain.jsonl`. Whoever keeps the head of a chain elsewhere can
tell later that no line up to it was changed, moved or taken away.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from message_store.mailbox import Mailbox
from worker.archive.layout import mailbox_folder, months

CHAIN = "chain.jsonl"
LONGEST = 16 * 1024
"""No line is longer, in bytes."""

What = Literal["archived", "revision", "adopted", "removed"]

# A message of a day, or a revision of it. Whoever can write to an archive can write anything here.
_FOLDER = re.compile(r"[0-9]{2}/(?P<message>[^/\0]+)(/revisions/(?P<revision>[^/\0]+))?")
_LONGEST_NAME = 255
_LARGEST = 2**53


def _folder(text: str) -> str:
    found = _FOLDER.fullmatch(text)
    names = [name for name in found.groupdict().values() if name] if found else []
    if not names or any(name in {".", ".."} or _bytes(name) > _LONGEST_NAME for name in names):
        raise ValueError("is no folder of a month")
    return text


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


class Line(BaseModel):
    """One line: what became of a folder of the month.

    `folder` is relative to the month; `manifest` the sha256 of its `manifest.json`, missing where
    it was `removed`; `previous` the sha256 of the line before; `at` when, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: Annotated[int, Field(ge=1, le=_LARGEST)]
    what: What
    folder: Annotated[str, AfterValidator(_folder)]
    manifest: str | None = None
    why: str | None = None
    at: str
    previous: str

    def to_bytes(self) -> bytes:
        """The line as it stands in the file, without its end."""
        return orjson.dumps(self.model_dump(exclude_none=True))


class Head(NamedTuple):
    """The end of a chain: how many lines, and the sha256 of the last one."""

    length: int
    hash: str


def origin(month: Path) -> str:
    """What the first line of a month has as the digest of the line before it."""
    account, extension, year, number = month.parts[-4:]
    return digest(f"chain of {account}/{extension}/{year}/{number}".encode())


def digest(line: bytes) -> str:
    """The sha256 of a line, hexadecimal."""
    return hashlib.sha256(line).hexdigest()


def parse(line: bytes) -> Line | None:
    """A line of the file; None if it is none of ours."""
    try:
        return Line.model_validate_json(line)
    except ValidationError:
        return None


def read_lines(month: Path) -> Iterator[bytes]:
    """The lines of a month's chain as they are, each with its end; none without a chain.

    The last may lack its end: it is being written, or was cut off. Raises OSError.
    """
    try:
        descriptor = open_chain(month, os.O_RDONLY)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as file:
        while line := file.readline(LONGEST + 1):
            yield line


def read_heads(root: Path, mailbox: Mailbox) -> dict[str, Head]:
    """The head of each month's chain of a mailbox, by `YYYY-MM`.

    What it tells is on disk for good. Raises OSError.
    """
    heads: dict[str, Head] = {}
    for month in months(mailbox_folder(root, mailbox)):
        try:
            descriptor = open_chain(month, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            os.fsync(descriptor)
            head, _ = head_of(descriptor, month)
        finally:
            os.close(descriptor)
        if head.length:
            heads[f"{month.parent.name}-{month.name}"] = head
    return heads


def open_chain(month: Path, flags: int) -> int:
    """A descriptor for a month's chain, which is a plain file; raises OSError."""
    path = month / CHAIN
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return descriptor


def head_of(descriptor: int, month: Path) -> tuple[Head, int]:
    """The head of an open chain, and where its last whole line ends, in bytes."""
    size = os.fstat(descriptor).st_size
    window = 4096
    while True:
        start = max(0, size - window)
        tail = os.pread(descriptor, size - start, start)
        end = tail.rfind(b"\n")
        if not start or (end > 0 and tail.rfind(b"\n", 0, end) >= 0):
            break
        window *= 2  # the end may be anything after a power failure
    if end < 0:
        return Head(0, origin(month)), 0
    last = tail[tail.rfind(b"\n", 0, end) + 1 : end]
    line = parse(last)
    number = line.number if line else _count(descriptor, start + end + 1)
    return Head(number, digest(last)), start + end + 1


def _count(descriptor: int, end: int) -> int:
    count = offset = 0
    while offset < end:
        piece = os.pread(descriptor, min(1 << 20, end - offset), offset)
        if not piece:
            break
        count += piece.count(b"\n")
        offset += len(piece)
    return count
