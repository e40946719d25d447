"""Adding to the chains of an archive, from many threads and processes at once.

Everything here blocks; callers run it in threads.
"""

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakValueDictionary

import orjson

from worker.archive.chain import Head, Line, What, digest, head_of, open_chain
from worker.archive.layout import REVISIONS
from worker.handlers.durable import MANIFEST, sync_folder

_WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}


@dataclass(slots=True)
class Entry:
    """What is to be said of a folder; `again` if the chain may say it already."""

    what: What
    folder: str
    manifest: str | None = None
    why: str | None = None
    again: bool = False
    done: bool = field(default=False, init=False)
    error: OSError | None = field(default=None, init=False)


Extend = Callable[[Path, Sequence[Entry]], None]
"""Adds to the chain of a month what it does not say yet, for good; raises OSError."""


class ChainWriter:
    """The chains below a root; what is added while others are synced goes out together."""

    def __init__(self, root: Path, extend: Extend | None = None) -> None:
        self._root = root
        self._extend = extend or _extend
        self._months: WeakValueDictionary[Path, _Chain] = WeakValueDictionary()
        self._lock = threading.Lock()

    def record(self, folder: Path, *, again: bool, what: What | None = None) -> None:
        """See that the chain has a committed folder as it is, on disk for good.

        `again` is for a folder that was committed before: it is looked whether the chain has it.
        Raises OSError.
        """
        parts = folder.relative_to(self._root).parts
        what = what or ("revision" if REVISIONS in parts[6:] else "archived")
        manifest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
        self.append(
            self._root.joinpath(*parts[:4]),
            [Entry(what, "/".join(parts[4:]), manifest, again=again)],
        )

    def append(self, month: Path, entries: Sequence[Entry]) -> None:
        """Add to the chain of a month, on disk for good; raises OSError."""
        with self._lock:
            chain = self._months.get(month)
            if chain is None:
                chain = self._months[month] = _Chain(month, self._extend)
        chain.append(entries)


class _Chain:
    """One month's chain as the threads of this process share it."""

    def __init__(self, month: Path, extend: Extend) -> None:
        self._month = month
        self._extend = extend
        self._waiting: list[Entry] = []
        self._gathering = threading.Lock()
        self._writing = threading.Lock()

    def append(self, entries: Sequence[Entry]) -> None:
        with self._gathering:
            self._waiting += entries
        with self._writing:
            # Whoever wrote meanwhile may have taken these along.
            if not all(entry.done for entry in entries):
                with self._gathering:
                    batch, self._waiting = self._waiting, []
                self._write(batch)
        for entry in entries:
            if entry.error is not None:
                raise type(entry.error)(*entry.error.args) from entry.error

    def _write(self, batch: Sequence[Entry]) -> None:
        error = None
        try:
            self._extend(self._month, batch)
        except OSError as raised:
            error = raised
        for entry in batch:
            entry.error, entry.done = error, True


def _extend(month: Path, batch: Sequence[Entry]) -> None:
    with _locked_chain(month) as descriptor:
        head, end = head_of(descriptor, month)
        if os.fstat(descriptor).st_size > end:
            # A line without its end: its writer was killed, has recorded nothing and comes again.
            os.ftruncate(descriptor, end)
        new = [entry for entry in batch if not (entry.again and _has(descriptor, end, entry))]
        rest = memoryview(lines_after(head, new))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        # Also when all was there: its writer may have been killed just short of this.
        os.fsync(descriptor)
        if head.length == 0 or any(entry.again for entry in batch):
            sync_folder(month)


def lines_after(head: Head, entries: Iterable[Entry]) -> bytes:
    """The lines that say this, to follow the head of a chain."""
    previous = head.hash
    lines: list[bytes] = []
    for number, entry in enumerate(entries, head.length + 1):
        line = Line(
            number=number,
            what=entry.what,
            folder=entry.folder,
            manifest=entry.manifest,
            why=entry.why,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            previous=previous,
        ).to_bytes()
        lines.append(line + b"\n")
        previous = digest(line)
    return b"".join(lines)


def _has(descriptor: int, end: int, entry: Entry) -> bool:
    """Whether the last word of the chain, up to `end`, on a folder is this entry."""
    if not end:
        return False
    message = entry.folder.partition(f"/{REVISIONS}/")[0]
    said = b'"folder":' + orjson.dumps(entry.folder) + b","
    removed = b'"what":"removed","folder":' + orjson.dumps(message) + b","
    with mmap.mmap(descriptor, end, access=mmap.ACCESS_READ) as text:
        start = text.rfind(said)
        if start < 0 or text.find(removed, text.rfind(b"\n", 0, start) + 1) >= 0:
            return False
        line = text[start : text.find(b"\n", start)]
    return f'"manifest":"{entry.manifest}"'.encode() in line


@contextlib.contextmanager
def _locked_chain(month: Path) -> Iterator[int]:
    descriptor = open_chain(month, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
        yield descriptor
    finally:
        os.close(descriptor)
