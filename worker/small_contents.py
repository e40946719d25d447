"""Small attachments kept in memory, up to a bound."""

import time
from pathlib import Path

SMALL = 256 * 1024
"""The largest content kept in memory, in bytes."""
ROOM = 8 * 1024 * 1024


class SmallContents:
    """Contents by the path they would have on disk; at most 8 MiB in all."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, dict[Path, tuple[bytes, float]]] = {}
        self._size = 0

    def get(self, target: Path) -> bytes | None:
        """The content, if it is here."""
        found = self._by_folder.get(target.parent, {}).get(target)
        return found[0] if found else None

    def keep(self, target: Path, content: bytes) -> bool:
        """Keep it; False if there is no room."""
        if len(content) > SMALL or self._size + len(content) > ROOM:
            return False
        self._by_folder.setdefault(target.parent, {})[target] = (content, time.monotonic())
        self._size += len(content)
        return True

    def discard(self, folder: Path) -> None:
        """Drop everything of one folder."""
        for content, _ in self._by_folder.pop(folder, {}).values():
            self._size -= len(content)

    def sweep(self, seconds: float) -> int:
        """Drop the folders whose newest content is older; says how many contents."""
        oldest = time.monotonic() - seconds
        stale = {
            folder: len(contents)
            for folder, contents in self._by_folder.items()
            if max(at for _, at in contents.values()) < oldest
        }
        for folder in stale:
            self.discard(folder)
        return sum(stale.values())
