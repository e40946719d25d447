"""A file in the making beside its target: taken up by whoever continues it, renamed when whole."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from worker.free_space import require_room


class PartialFile:
    """The bytes of `target` so far, held by one process at a time; all methods block.

    It is `<target>.part`, or a file of this process alone while another process holds that one.
    """

    def __init__(self, target: Path, path: Path, descriptor: int) -> None:
        self._target = target
        self._path = path
        self._descriptor = descriptor

    @staticmethod
    def exists(target: Path) -> bool:
        """Whether somebody left one behind."""
        return _path(target).exists()

    @classmethod
    def open(cls, target: Path) -> Self:
        """Take up the partial file of `target`, or begin one; its folder has to be there."""
        path = _path(target)
        descriptor = _opened(path)
        try:
            # The lock ends with its process, so a killed one leaves its bytes to the next.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return cls(target, path, descriptor)
        except OSError:
            pass  # held by another process, or a file system without locks
        os.close(descriptor)
        own = path.with_name(f"{path.name}-{os.getpid()}")
        own.unlink(missing_ok=True)
        return cls(target, own, _opened(own))

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return os.fstat(self._descriptor).st_size

    def write(self, chunks: Sequence[bytes]) -> None:
        """Append; raises DiskFullError."""
        require_room(self._descriptor, sum(map(len, chunks)))
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def restart(self) -> None:
        """Forget the bytes so far."""
        os.ftruncate(self._descriptor, 0)

    def finish(self) -> int:
        """Make it the target; returns its size in bytes."""
        size = self.size
        self._path.replace(self._target)
        self.close()
        return size

    def close(self) -> None:
        """Let go of it, if that is still to be done; what was written stays for the next."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        """Who was cancelled while it was opened never had it."""
        self.close()


def _path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
