"""An archive in a folder."""

import errno
from collections.abc import Sequence
from pathlib import Path

from worker.archive.chain_writer import ChainWriter
from worker.handlers.durable import (
    CommittedOtherwiseError,
    DurableFolders,
    Source,
    check_writable,
    sizes_in,
)


class OnDisk:
    """Writes below a folder, see Destination."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = DurableFolders(root)
        self._chains = ChainWriter(root)
        self._accounts: set[Path] = set()

    def write(self, folder: Path, sources: Sequence[Source]) -> bool:
        """Commit a folder, and add it to its chain; both are on disk for good.

        What was there is not made anew: where a disk was unmounted, the messages would lie on
        another one, and be hidden when it is back. A mount point is still there then, and empty.
        """
        if self._accounts and not any(account.is_dir() for account in self._accounts):
            raise FileNotFoundError(errno.ENOENT, f"{min(self._accounts)} was there and is gone")
        place = self._root / folder
        try:
            new = self._folders.write(place, sources)
        except CommittedOtherwiseError:
            self._chains.record(place, again=True)
            raise
        self._chains.record(place, again=not new)
        self._accounts.add(self._root / folder.parts[0])
        return new

    def sizes_in(self, folder: Path) -> dict[str, int]:
        """The files of a folder by its manifest."""
        return sizes_in(self._root / folder)

    def read(self, folder: Path, name: str) -> bytes | None:
        """A file of a folder."""
        try:
            return (self._root / folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def check(self) -> str:
        """Try to write there; says how much room is left."""
        free = check_writable(self._root)
        return f"{self._root} can be written, {free / 1e9:.1f} GB free"

    def in_words(self, error: OSError) -> str:
        """What to do about an error."""
        remedy = {
            errno.ENOENT: "mount its disk, or make it if it is lost",
            errno.ENOSPC: "make room there",
            errno.EDQUOT: "raise the quota or make room there",
            errno.EROFS: "mount it writable or change `to`",
        }.get(error.errno or 0, "see that it is a folder this user may write, or change `to`")
        return f"cannot write to {self._root}: {error.strerror or error}; {remedy}"
