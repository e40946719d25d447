"""Where an export goes: a zip file or a folder, made aside and named when it is whole."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from worker.handlers.durable import sync_folder

SUMS = "SHA256SUMS"


class Output(ABC):
    """Files by their names, and at the end `SHA256SUMS` for `sha256sum -c`.

    As a context manager it takes its name at the end of the block, durable, and is gone if that
    fails. Raises OSError, and FileExistsError if there is something of its name.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        # lexists: a link to nowhere is something as well
        if os.path.lexists(target):
            raise FileExistsError(str(target))
        self._sums: IO[bytes]

    def open(self, name: str) -> "OutputFile":
        """A new file; its name is relative, with `/` between its parts."""
        return OutputFile(name, self._new(name), self._sums)

    def __enter__(self) -> Self:
        # Not in memory: there may be millions.
        self._sums = tempfile.TemporaryFile()  # closed in __exit__
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._sums:
            if kind is not None:
                self._forget()
                return
            self._sums.seek(0)
            with self._new(SUMS) as file:
                shutil.copyfileobj(self._sums, file)
            self._finish()
            sync_folder(self._target.parent)

    @abstractmethod
    def _new(self, name: str) -> IO[bytes]: ...

    @abstractmethod
    def _finish(self) -> None: ...

    @abstractmethod
    def _forget(self) -> None: ...


class OutputFile(AbstractContextManager["OutputFile"]):
    """One file of an export, whose digest is noted at its end."""

    def __init__(self, name: str, file: IO[bytes], sums: IO[bytes]) -> None:
        self._name = name
        self._file = file
        self._sums = sums
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._digest.update(chunk)
        self._file.write(chunk)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._file.close()
        self._sums.write(f"{self._digest.hexdigest()}  {self._name}\n".encode())


class ZipOutput(Output):
    """One zip file."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        descriptor = os.open(self._aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    def _new(self, name: str) -> IO[bytes]:
        info = zipfile.ZipInfo(name, time.gmtime()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def _finish(self) -> None:
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.link(self._aside, self._target)  # unlike a rename it replaces nothing
        self._aside.unlink()

    def _forget(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the disk is full, or a file in it is open
            self._zip.close()
        self._file.close()
        self._aside.unlink(missing_ok=True)


class FolderOutput(Output):
    """A folder."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        self._aside.mkdir(mode=0o700)

    def _new(self, name: str) -> IO[bytes]:
        path = self._aside / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "wb")

    def _finish(self) -> None:
        os.sync()  # one call, where a sync of each of a million small files would take hours
        self._aside.rename(self._target)

    def _forget(self) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)
