"""One committed folder: what its manifest says, and whether it is so. Links are not followed."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from worker.archive.layout import REVISIONS
from worker.handlers.durable import CHUNK, MANIFEST

_LARGEST_MANIFEST = 16 * 1024 * 1024
_IN_THE_MAKING = re.compile(r"\.[0-9a-f]{16}\.part")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was archived: where, and what is wrong with it."""

    path: Path
    what: str


class ManifestEntry(BaseModel):
    """A file as a manifest tells it; `size` in bytes, `sha256` hexadecimal."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str
    size: int
    sha256: str
    content_type: str = ""


class _Manifest(BaseModel):
    files: list[ManifestEntry]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of a folder and the sha256 of its bytes."""

    sha256: str
    files: Sequence[ManifestEntry]


def read_manifest(folder: Path) -> Manifest | Fault:
    """The manifest of a committed folder, or why there is none that can be read."""
    path = folder / MANIFEST
    try:
        with os.fdopen(open_file(path), "rb") as file:
            content = file.read(_LARGEST_MANIFEST + 1)
    except OSError as error:
        return Fault(path, f"cannot be read: {error.strerror}")
    if len(content) > _LARGEST_MANIFEST:
        return Fault(path, "is too large for a manifest")
    try:
        files = _Manifest.model_validate_json(content).files
    except ValidationError:
        return Fault(path, "is no manifest")
    if any(not is_plain(entry.name) for entry in files):
        return Fault(path, "names a file outside its folder")
    return Manifest(hashlib.sha256(content).hexdigest(), files)


def is_plain(name: str) -> bool:
    """Whether a name is that of something in a folder, not of something elsewhere."""
    return name not in {"", ".", ".."} and "/" not in name and "\0" not in name


def faults_in(folder: Path, manifest: Manifest) -> Iterator[Fault]:
    """What in a folder is not as its manifest says: changed, missing and extra files."""
    for entry in manifest.files:
        if what := what_is_wrong(folder / entry.name, entry):
            yield Fault(folder / entry.name, what)
    known = {entry.name for entry in manifest.files} | {MANIFEST}
    try:
        with os.scandir(folder) as found:
            names = sorted((item.name, item.is_dir(follow_symlinks=False)) for item in found)
    except FileNotFoundError:
        return  # removed while we looked: its files are missing already
    for name, is_folder in names:
        if name in known or (name == REVISIONS and is_folder and folder.parent.name != REVISIONS):
            continue
        # A repeated delivery may be at work here; what it leaves if it is killed is no part of us.
        if not (_IN_THE_MAKING.fullmatch(name) and not is_folder):
            yield Fault(folder / name, "is extra: the manifest does not name it")


def what_is_wrong(path: Path, entry: ManifestEntry) -> str:
    """Why a file is not what its manifest says, empty if it is."""
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    digest = hashlib.sha256()
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if (size := os.fstat(descriptor).st_size) != entry.size:
            return f"has changed: {size} bytes instead of {entry.size}"
        buffer = memoryview(bytearray(CHUNK))
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return "" if digest.hexdigest() == entry.sha256 else "has changed: another sha256"


def open_file(path: Path) -> int:
    """A descriptor for reading a plain file; raises OSError, also for a link or a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no file")
    return descriptor
