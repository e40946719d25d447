"""A file that only one key opens: AES-256-GCM in chunks, so that it need not fit in memory.

After the magic come the sealed facts, with their length before them, and the content in chunks of
256 KiB. The nonce counts the chunks and marks the last, as in STREAM
(https://eprint.iacr.org/2015/189): none can be moved, doubled or cut off. A key is used for one
file, so nonces never repeat.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from worker.free_space import require_room

CHUNK = 256 * 1024
_TAG = 16
_MAGIC = b"ringpost link 1\n"


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What a content is: a safe file name and a media type."""

    name: str
    content_type: str


class NotOpenedError(Exception):
    """The file is not there, was changed, or has another key."""


class SealedWriter:
    """Writes `path`, which is there once `finish` returns; all methods block."""

    def __init__(self, path: Path, key: bytes, facts: LinkFacts) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._cipher = AESGCM(key)
        self._chunks = 0
        self._waiting = bytearray()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb")
        sealed = self._seal(json.dumps(asdict(facts)).encode(), last=False)
        self._file.write(_MAGIC + len(sealed).to_bytes(4, "big") + sealed)

    def write(self, data: bytes) -> None:
        """Append; raises DiskFullError."""
        require_room(self._file.fileno(), len(data))
        self._waiting += data
        # The last chunk has to be known as such, so one is always kept back.
        while len(self._waiting) > CHUNK:
            self._file.write(self._seal(bytes(self._waiting[:CHUNK]), last=False))
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk, and have it all on disk for good."""
        self._file.write(self._seal(bytes(self._waiting), last=True))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _seal(self, data: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._chunks, last=last), data, _MAGIC)
        self._chunks += 1
        return sealed


class SealedReader:
    """Reads an open file; `size` is that of the content. All methods block."""

    def __init__(self, descriptor: int, key: bytes) -> None:
        self._file = os.fdopen(descriptor, "rb")
        self._cipher = AESGCM(key)
        try:
            self.facts = self._facts()
            sealed = os.fstat(descriptor).st_size - self._file.tell()
        except BaseException:
            self.close()
            raise
        self._last = max(1, -(-sealed // (CHUNK + _TAG)))
        self.size = sealed - self._last * _TAG

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open it and read its facts; raises NotOpenedError."""
        try:
            return cls(os.open(path, os.O_RDONLY | os.O_CLOEXEC), key)
        except OSError as error:
            raise NotOpenedError from error

    def chunks(self) -> Iterator[bytes]:
        """The content; raises NotOpenedError where it was changed."""
        for number in range(1, self._last + 1):
            data = self._file.read(CHUNK + _TAG)
            yield self._opened(data, number, last=number == self._last)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _facts(self) -> LinkFacts:
        if self._file.read(len(_MAGIC)) != _MAGIC:
            raise NotOpenedError
        length = int.from_bytes(self._file.read(4), "big")
        if length > CHUNK:
            raise NotOpenedError
        return LinkFacts(**json.loads(self._opened(self._file.read(length), 0, last=False)))

    def _opened(self, data: bytes, number: int, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(number, last=last), data, _MAGIC)
        except InvalidTag as error:
            raise NotOpenedError from error


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
