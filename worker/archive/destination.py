"""What an archive is written to: a folder on a disk, or a bucket."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from worker.handlers.durable import Source


class Destination(Protocol):
    """Folders are relative to it. Everything blocks, and raises OSError."""

    def write(self, folder: Path, sources: Sequence[Source]) -> bool:
        """Commit a folder with these files and add it to its chain; False if both were done.

        Raises CommittedOtherwiseError if another content is committed there, which is in the
        chain then.
        """

    def sizes_in(self, folder: Path) -> dict[str, int]:
        """The files that a committed folder has, each with its bytes; none if it is not there."""

    def read(self, folder: Path, name: str) -> bytes | None:
        """A small file, None if it is not there."""

    def check(self) -> str:
        """See that it can be written to, and say so; leaves nothing there."""
