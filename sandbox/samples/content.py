"""What an attachment holds: bytes in memory, or any amount generated while it is sent."""

import hashlib
import mimetypes
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

CHUNK = 256 * 1024
# a prime number of bytes, so that chunks of round sizes never repeat
_PATTERN_SIZE = 1_048_573
_SEED_STEP = 104_729


class Content(Protocol):
    """The bytes of one attachment, its file name and its type (either may be empty)."""

    @property
    def name(self) -> str:
        """The file name, for the content's disposition."""

    @property
    def content_type(self) -> str:
        """The MIME type; empty: what is usual for the message."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def chunks(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """The bytes from `start` up to `stop`, in pieces of bounded size."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """An attachment that is held whole."""

    data: bytes
    name: str = ""
    content_type: str = ""

    @classmethod
    def of(cls, path: Path) -> "InMemory":
        """The file at `path`, typed by its name."""
        return cls(path.read_bytes(), path.name, type_of(path.name))

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """The bytes asked for, in one piece."""
        yield self.data if (start, stop) == (0, len(self.data)) else self.data[start:stop]


@dataclass(frozen=True, slots=True)
class Generated:
    """An attachment of any size that takes no memory; the same seed gives the same bytes."""

    size: int
    seed: int = 0
    name: str = ""
    content_type: str = ""

    def chunks(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """The bytes from `start` up to `stop`, at most 256 KiB at a time."""
        pattern = _pattern()
        while start < stop:
            length = min(CHUNK, stop - start)
            at = (start + self.seed * _SEED_STEP) % _PATTERN_SIZE
            yield pattern[at : at + length]
            start += length

    def sha256(self) -> str:
        """The checksum of the whole, to compare with what arrived."""
        digest = hashlib.sha256()
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.hexdigest()


@cache
def _pattern() -> memoryview:
    # twice, so that a chunk that runs over the end is one slice too
    return memoryview(random.Random(0).randbytes(_PATTERN_SIZE) * 2)  # noqa: S311 - filling, no secret


def whole(content: Content) -> bytes:
    """All bytes of an attachment at once."""
    return b"".join(content.chunks(0, content.size))


def type_of(name: str) -> str:
    """The MIME type a file name suggests; empty when it suggests none."""
    return mimetypes.guess_type(name)[0] or ""
