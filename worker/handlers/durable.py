"""Folders of files that survive a power failure: written aside, synced, committed by a manifest.

Everything here blocks; callers run it in threads.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

MANIFEST = "manifest.json"
MANIFEST_TYPE = "application/json"
CHUNK = 256 * 1024
STALE_SECONDS = 24 * 3600
_REMEMBERED = 10_000


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


class CommittedOtherwiseError(Exception):
    """The folder is committed with another content, which stays as it is."""


class DurableFolders:
    """Writes folders below `root`; remembers which parents are known to be on disk for good."""

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        self._root = root
        # The umask takes away from what is shared.
        self._folder_mode, self._file_mode = (0o777, 0o666) if shared else (0o700, 0o600)
        self._durable: set[Path] = set()

    def write(self, folder: Path, sources: Sequence[Source]) -> bool:
        """Make `folder` hold exactly these files, synced; False if it already did.

        `manifest.json` comes last and is the commit; what is committed is never replaced, only
        mended if a file of it is missing or cut short. Of two writers at once, also in different
        processes, one commits. Raises OSError, and CommittedOtherwiseError if other files are
        committed.
        """
        if self._make(folder):
            with contextlib.suppress(FileExistsError):  # another writer was quicker
                _fill(folder, sources)
                return True
        else:
            _clear_stale(folder)
        written: list[tuple[Path, Entry]] = []
        try:
            written.extend(_write_aside(folder, source) for source in sources)
            with locked(folder) as descriptor:
                new = _commit(folder, written)
                if new:
                    written.clear()
                # Also when all was there: its writer may have been killed just short of this.
                os.fsync(descriptor)
                sync_folder(folder.parent)
                return new
        finally:
            for path, _ in written:
                path.unlink(missing_ok=True)

    def keep(self, folder: Path, source: Source) -> bool:
        """See that a folder has this file, synced; False if it already did.

        No other file is replaced: if the name has another content, this one's name is marked by
        its digest. Raises OSError.
        """
        try:
            self._make_parent(folder)
            aside, entry = _write_aside(folder, source, self._file_mode)
        except FileNotFoundError:
            self._durable.clear()  # somebody removed a parent
            self._make_parent(folder)
            aside, entry = _write_aside(folder, source, self._file_mode)
        try:
            plain = Path(source.name)
            for name in (source.name, f"{plain.stem}-{entry.sha256[:16]}{plain.suffix}"):
                try:
                    os.link(aside, folder / name)  # unlike a rename it replaces nothing
                    return True
                except FileExistsError:
                    if _has_digest(folder / name, entry):
                        return False
            raise FileExistsError(errno.EEXIST, "a file of another content has its name")
        finally:
            aside.unlink(missing_ok=True)
            # Also if it was there: whoever made it may not have come to this line.
            sync_folder(folder)

    def _make(self, folder: Path, *, again: bool = False) -> bool:
        try:
            self._make_parent(folder.parent)
            folder.mkdir(mode=self._folder_mode)
        except FileExistsError:
            if not folder.is_dir():
                raise
            return False
        except FileNotFoundError:
            if again or not self._durable:
                raise
            self._durable.clear()  # somebody removed a parent
            return self._make(folder, again=True)
        return True

    def _make_parent(self, folder: Path) -> None:
        if folder in self._durable:
            return
        ours = folder != self._root and folder.is_relative_to(self._root)
        if ours or not folder.is_dir():
            self._make_parent(folder.parent)
            folder.mkdir(mode=self._folder_mode, exist_ok=True)
            # Also if it was there: whoever made it may not have come to this line.
            sync_folder(folder.parent)
        if len(self._durable) >= _REMEMBERED:
            self._durable.clear()
        self._durable.add(folder)


def check_writable(folder: Path) -> int:
    """Write there, or where it is going to be; the bytes that are free. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ringpost")
        file.flush()
        os.fsync(file.fileno())
    return shutil.disk_usage(folder).free


def sizes_in(folder: Path) -> dict[str, int]:
    """The files that the manifest of a folder names, each with its bytes; none without manifest."""
    try:
        return sizes_of((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return {}


def sizes_of(manifest: bytes) -> dict[str, int]:
    """The files that a manifest names, each with its bytes."""
    return {entry["name"]: entry["size"] for entry in orjson.loads(manifest)["files"]}


def _fill(folder: Path, sources: Sequence[Source]) -> None:
    """Write into a folder that was just made: nothing in it has to be replaced."""
    entries: list[Entry] = []
    written: list[str] = []
    with locked(folder) as descriptor:
        try:
            for source in sources:
                entries.append(_write(folder / source.name, source))
                written.append(source.name)
            manifest = Source(MANIFEST, MANIFEST_TYPE, manifest_of(entries))
            aside, _ = _write_aside(folder, manifest)
            aside.replace(folder / MANIFEST)
            written.append(MANIFEST)
            os.fsync(descriptor)
        except BaseException:
            for name in reversed(written):
                (folder / name).unlink(missing_ok=True)
            raise
    sync_folder(folder.parent)


def manifest_of(entries: Sequence[Entry]) -> bytes:
    """The manifest of a folder with these files."""
    return orjson.dumps({"files": entries}, option=orjson.OPT_INDENT_2) + b"\n"


def _commit(folder: Path, written: Sequence[tuple[Path, Entry]]) -> bool:
    entries = [entry for _, entry in written]
    manifest = manifest_of(entries)
    committed = _committed(folder)
    if committed is not None and committed != manifest:
        raise CommittedOtherwiseError
    if committed is not None and _are_there(folder, entries):
        return False
    for path, entry in written:
        path.replace(folder / entry.name)
    if committed is None:
        path, _ = _write_aside(folder, Source(MANIFEST, MANIFEST_TYPE, manifest))
        path.replace(folder / MANIFEST)
    return True


def _has_digest(path: Path, entry: Entry) -> bool:
    digest = hashlib.sha256()
    try:
        for chunk in chunks_of(path):
            digest.update(chunk)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == entry.sha256


def _write_aside(folder: Path, source: Source, mode: int = 0o600) -> tuple[Path, Entry]:
    path = folder / f".{secrets.token_hex(8)}.part"
    return path, _write(path, source, mode)


def _write(path: Path, source: Source, mode: int = 0o600) -> Entry:
    digest = hashlib.sha256()
    size = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        for chunk in chunks_of(source.content):
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
    return Entry(source.name, size, digest.hexdigest(), source.content_type)


def chunks_of(content: Path | bytes) -> Iterator[bytes | memoryview]:
    """A content piece by piece; a piece is good until the next one."""
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(min(CHUNK, os.fstat(file.fileno()).st_size + 1)))
        while count := file.readinto(buffer):
            yield buffer[:count]


def _committed(folder: Path) -> bytes | None:
    try:
        return (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None


def _are_there(folder: Path, entries: Sequence[Entry]) -> bool:
    try:
        return all((folder / entry.name).stat().st_size == entry.size for entry in entries)
    except FileNotFoundError:
        return False


def _clear_stale(folder: Path) -> None:
    # Left by a writer that was killed; a younger one may belong to a writer at work.
    for path in folder.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                path.unlink()


@contextlib.contextmanager
def locked(folder: Path, *, shared: bool = False) -> Iterator[int]:
    """Hold a folder for this thread alone, whatever the process; yields its descriptor.

    `shared` with others who say so too.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems know no locks; each file is still replaced as a whole.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
