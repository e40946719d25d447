"""Room that downloads leave on a disk: the ledger lives there too, and must be able to write."""

import errno
import os

RESERVE = 256 * 1024 * 1024
"""The bytes that stay free."""


class DiskFullError(OSError):
    """Too little room; as any OSError worth another try, since files are dropped when done."""

    def __str__(self) -> str:
        return str(self.strerror)


def require_room(descriptor: int, size: int) -> None:
    """Raise DiskFullError if `size` more bytes in this open file would touch the reserve."""
    disk = os.fstatvfs(descriptor)
    free = disk.f_bavail * disk.f_frsize
    if free - size < RESERVE:
        raise DiskFullError(
            errno.ENOSPC,
            f"only {free >> 20} MiB are free on the disk, {RESERVE >> 20} MiB are kept; make room",
        )
