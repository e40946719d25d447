"""Folders of files that survive a power failure: written aside, synced, committed by a manifest.

Everything here blocks; callers run it in threads.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST = "manifest.json"
CHUNK = 256 * 1024
STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be kept: its name, its media type, and where its content is."""

    name: str
    content_type: str
    content: Path | bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept file as the manifest tells it; `size` in bytes, `sha256` hexadecimal."""

    name: str
    size: int
    sha256: str
    content_type: str


class DurableFolders:
    """Writes folders below `root`; remembers which parents are known to be on disk for good."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._durable: set[Path] = set()

    def write(self, folder: Path, sources: Sequence[Source]) -> bool:
        """Make `folder` hold exactly these files, synced; False if it already did.

        `manifest.json` comes last and is the commit. Two writers at once, also in different
        processes, end with the files and the manifest of one of them. Raises OSError.
        """
        self._make(folder)
        written: list[tuple[Path, Entry]] = []
        try:
            written.extend(_write_aside(folder, source) for source in sources)
            with _locked(folder) as descriptor:
                return self._commit(folder, descriptor, written)
        finally:
            for path, _ in written:
                path.unlink(missing_ok=True)

    def _commit(self, folder: Path, descriptor: int, written: Sequence[tuple[Path, Entry]]) -> bool:
        entries = [entry for _, entry in written]
        manifest = json.dumps({"files": [asdict(entry) for entry in entries]}, indent=2).encode()
        new = not _holds(folder, manifest, entries)
        if new:
            _clear_stale(folder)
            # Without its manifest an older version of the message is in the making again.
            (folder / MANIFEST).unlink(missing_ok=True)
            for path, entry in written:
                path.replace(folder / entry.name)
            path, _ = _write_aside(folder, Source(MANIFEST, "application/json", manifest + b"\n"))
            path.replace(folder / MANIFEST)
        # Also when all was there: the writer before may have been killed just short of it.
        os.fsync(descriptor)
        _sync(folder.parent)
        return new

    def _make(self, folder: Path) -> None:
        if folder.parent in self._durable:
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except FileNotFoundError:
                self._durable.clear()  # somebody removed a parent
            else:
                return
        self._make_parent(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)

    def _make_parent(self, folder: Path) -> None:
        if folder in self._durable:
            return
        ours = folder != self._root and folder.is_relative_to(self._root)
        if ours or not folder.is_dir():
            self._make_parent(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            # Also if it was there: whoever made it may not have come to this line.
            _sync(folder.parent)
        self._durable.add(folder)


def _write_aside(folder: Path, source: Source) -> tuple[Path, Entry]:
    path = folder / f".{secrets.token_hex(8)}.part"
    digest = hashlib.sha256()
    size = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for chunk in _chunks(source.content):
            digest.update(chunk)
            size += len(chunk)
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return path, Entry(source.name, size, digest.hexdigest(), source.content_type)


def _chunks(content: Path | bytes) -> Iterator[bytes | memoryview]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(min(CHUNK, os.fstat(file.fileno()).st_size + 1)))
        while count := file.readinto(buffer):
            yield buffer[:count]


def _holds(folder: Path, manifest: bytes, entries: Sequence[Entry]) -> bool:
    try:
        return (folder / MANIFEST).read_bytes().rstrip() == manifest and all(
            (folder / entry.name).stat().st_size == entry.size for entry in entries
        )
    except FileNotFoundError:
        return False


def _clear_stale(folder: Path) -> None:
    # Left by a writer that was killed; a younger one may belong to a writer at work.
    for path in folder.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                path.unlink()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems know no locks; each file is still replaced as a whole.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
