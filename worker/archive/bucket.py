"""One bucket as an archive uses it: objects are made, read and listed, and never replaced.

Everything here blocks; callers run it in threads. Names are relative to the bucket's prefix.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from worker.archive.buckets import Address, BucketError, TakenError, asking, open_bucket

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutMode, UpdateVersion

    from worker.archive.buckets import Store

PART = 5 * 1024 * 1024
"""A larger file is sent in parts of so many bytes."""

_AT_ONCE = 16
_LARGEST = 64 * 1024 * 1024


class Lock(NamedTuple):
    """For how long S3 keeps each object from being removed, and whether somebody may lift it."""

    length: timedelta
    mode: str


class Listed(NamedTuple):
    """An object: `name` relative to the bucket's prefix, `size` in bytes."""

    name: str
    size: int
    modified: datetime
    e_tag: str | None
    version: str | None


class Bucket:
    """A bucket; raises BucketError wherever it is asked for anything."""

    def __init__(self, address: Address, options: Mapping[str, str], lock: Lock | None) -> None:
        self.address = address
        self._options = options
        self._lock = lock
        self._store: Store | None = None
        self._writer: tuple[datetime, Store] | None = None
        self._is_proven = False
        # A large file takes several parts of memory, or all of it where it is locked.
        self._large = threading.Lock()

    def create(self, name: str, content: Path | bytes, content_type: str) -> None:
        """Make an object that is not there yet; raises TakenError if it is.

        A file of more than `PART` bytes goes in parts, unless it is locked, and replaces what
        comes into being meanwhile.
        """
        if isinstance(content, bytes):
            self._put(name, content, content_type, "create")
            if not self._is_proven:
                self._prove(name, content, content_type)
            return
        if content.stat().st_size <= PART:
            self._put(name, content, content_type, "create")
            return
        with self._large:
            if self._lock is not None:
                # Which calls of an upload in parts take the headers of a lock, nobody says.
                self._put(name, content, content_type, "create")
            elif self.find(name) is not None:
                raise TakenError
            else:
                self._put(name, content, content_type, "overwrite")

    def replace(self, found: Listed, content: Path | bytes, content_type: str) -> None:
        """Put another content in place of an object; raises TakenError if that has changed."""
        version: UpdateVersion = {}
        if found.e_tag is not None:
            version["e_tag"] = found.e_tag
        if found.version is not None:  # what Google goes by
            version["version"] = found.version
        self._put(found.name, content, content_type, version)

    def read(self, name: str) -> bytes | None:
        """The content of a small object, None if there is none."""
        import obstore

        try:
            with asking(self.address, "read from"):
                found = obstore.get(self._reader(), name)
                if found.meta["size"] > _LARGEST:
                    raise BucketError(f"{self.address}/{name} is too large for what it is", True)
                return bytes(found.bytes())
        except FileNotFoundError:
            return None

    def read_all(self, names: list[str]) -> list[bytes | None]:
        """The contents of many small objects, in their order."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(self.read, names))

    def stream(self, name: str) -> Iterator[bytes]:
        """The content of an object piece by piece; raises FileNotFoundError."""
        import obstore

        with asking(self.address, "read from"):
            for piece in obstore.get(self._reader(), name).stream(min_chunk_size=1 << 20):
                yield bytes(piece)

    def sha256(self, name: str) -> str:
        """The digest of what is really there, hexadecimal; raises FileNotFoundError."""
        digest = hashlib.sha256()
        for piece in self.stream(name):
            digest.update(piece)
        return digest.hexdigest()

    def find(self, name: str) -> Listed | None:
        """An object, None if there is none."""
        import obstore

        try:
            with asking(self.address, "read from"):
                meta = obstore.head(self._reader(), name)
        except FileNotFoundError:
            return None
        return _listed(name, meta)

    def below(self, folder: str) -> Iterator[Listed]:
        """The objects below a folder, however deep, in order of their names."""
        import obstore

        with asking(self.address, "list"):
            for some in obstore.list(self._reader(), prefix=folder or None):
                for meta in some:
                    yield _listed(meta["path"], meta)

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder, sorted."""
        import obstore

        with asking(self.address, "list"):
            found = obstore.list_with_delimiter(self._reader(), prefix=folder or None)
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"])

    def check(self) -> None:
        """See that it can be listed and written to; leaves nothing there.

        An upload is begun and broken off. Azure does not hear of it before it is whole.
        """
        import obstore

        with asking(self.address, "list"):
            obstore.list_with_delimiter(self._reader(), prefix="ringpost-check")
        try:
            with asking(self.address, "write to"):
                obstore.put(self._writing(), "ringpost-check", _breaking_off(), use_multipart=True)
        except _BrokenOffError:
            return

    def _put(self, name: str, content: Path | bytes, content_type: str, mode: "PutMode") -> None:
        import obstore

        with asking(self.address, "write to"):
            obstore.put(
                self._writing(),
                name,
                content,
                attributes={"Content-Type": content_type},
                mode=mode,
                chunk_size=PART,
                max_concurrency=2,
            )

    def _prove(self, name: str, content: bytes, content_type: str) -> None:
        # Where "only if it is not there" is not understood, writers would replace each other's.
        try:
            self._put(name, content, content_type, "create")
        except TakenError:
            self._is_proven = True
            return
        raise BucketError(
            f"{self.address} replaces what is there, although it is asked not to "
            "(If-None-Match); use a store that has conditional writes",
            lasting=True,
        )

    def _reader(self) -> "Store":
        if self._store is None:
            self._store = open_bucket(self.address, self._options)
        return self._store

    def _writing(self) -> "Store":
        """The store with today's lock on all that it writes."""
        if self._lock is None:
            return self._reader()
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self._writer is None or self._writer[0] != today:
            until = today + timedelta(days=1) + self._lock.length
            headers = {
                "x-amz-object-lock-mode": self._lock.mode.upper(),
                "x-amz-object-lock-retain-until-date": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            }
            self._writer = (today, open_bucket(self.address, self._options, headers))
        return self._writer[1]


def _listed(name: str, meta: "ObjectMeta") -> Listed:
    return Listed(name, meta["size"], meta["last_modified"], meta["e_tag"], meta["version"])


class _BrokenOffError(Exception):
    pass


def _breaking_off() -> Iterator[bytes]:
    yield b"ringpost"
    raise _BrokenOffError
