"""What a month's chain says of its folders, and whether it hangs together."""

from collections.abc import Iterator
from pathlib import Path

from worker.archive.chain import CHAIN, LONGEST, Head, digest, origin, parse, read_lines
from worker.archive.folders import Fault
from worker.archive.layout import REVISIONS


class ChainState:
    """The last word of the chain on each folder of a month, which are named relative to it.

    `faults` are what is wrong with the chain itself; `is_torn` tells that the last line lacks its
    end, because it is just being written or its writer was killed.
    """

    def __init__(self, month: Path) -> None:
        self._month = month
        self._path = month / CHAIN
        # The number of the line, and the manifest's sha256 if the folder was not removed by it.
        self._words: dict[str, tuple[int, str | None]] = {}
        # By message, the last line of each kind; a removal takes the revisions along.
        self._removals: dict[str, int] = {}
        self._additions: dict[str, int] = {}
        self.removals: list[tuple[str, str]] = []
        """Every removal of a message, and when it was, as the chain says it."""
        self.faults: list[Fault] = []
        self.is_torn = False

    def read(self, head: Head | None = None) -> None:
        """Read the chain; `head` is one that it had at some time."""
        number = 0
        try:
            for number, hashed in enumerate(self._hashes(), 1):
                if head and head.length == number and head.hash != hashed:
                    self._fault(f"line {number} is not the one that was the last one then")
        except OSError as error:
            self._fault(f"cannot be read: {error.strerror}")
        if head and head.length > number:
            self._fault(f"is cut off: it had {head.length} lines and has {number}")

    def _hashes(self) -> Iterator[str]:
        previous = origin(self._month)
        for number, line in enumerate(read_lines(self._month), 1):
            if not line.endswith(b"\n"):
                self.is_torn = len(line) <= LONGEST
                if not self.is_torn:
                    self._fault(f"line {number} is longer than any of ours")
                return
            previous = self._take(number, line[:-1], previous)
            yield previous

    def manifest(self, folder: str) -> str | None:
        """The sha256 that the manifest of a folder has to have; None if it is not to be there."""
        number, manifest = self._words.get(folder, (0, None))
        removed = self._removals.get(_message(folder), 0)
        return manifest if number > removed else None

    def is_removed(self, message: str) -> bool:
        """Whether the last word on a message, revisions included, is its removal."""
        return self._removals.get(message, 0) > self._additions.get(message, 0)

    def present(self) -> Iterator[str]:
        """The folders that have to be there."""
        return (folder for folder in self._words if self.manifest(folder) is not None)

    def removed(self) -> Iterator[str]:
        """The messages that were removed."""
        return (folder for folder, (_, manifest) in self._words.items() if manifest is None)

    def _take(self, number: int, line: bytes, previous: str) -> str:
        hashed = digest(line)
        found = parse(line)
        if found is None:
            self._fault(f"line {number} is none of ours")
            return hashed
        if found.previous != previous:
            before = f"line {number - 1}" if number > 1 else "the beginning"
            self._fault(f"line {number} does not follow {before}: one was edited, moved or removed")
        elif found.number != number:
            self._fault(f"line {number} says that it is line {found.number}")
        self._words[found.folder] = (number, found.manifest)
        if found.manifest is None:
            self._removals[found.folder] = number
            self.removals.append((found.folder, found.at))
        else:
            self._additions[_message(found.folder)] = number
        return hashed

    def _fault(self, what: str) -> None:
        self.faults.append(Fault(self._path, what))


def _message(folder: str) -> str:
    """The message that a folder of the month is of, which may be a revision of it."""
    return folder.partition(f"/{REVISIONS}/")[0]
