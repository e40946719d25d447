"""The chain of a month in a bucket, where nothing can be added to an object.

Lines that are added together are an object, `chain/<number of the first line>.jsonl`. It is only
made where there is none of its name: so of two writers one takes the number, and the other the
next. All of them, one after the other, are what `chain.jsonl` is on a disk.
"""

import re
import threading
from collections.abc import Sequence
from pathlib import Path

from worker.archive.bucket import Bucket
from worker.archive.buckets import BucketError, TakenError
from worker.archive.chain import Head, digest, origin, parse
from worker.archive.chain_writer import Entry, lines_after

FOLDER = "chain"
NAMES = re.compile(r"[0-9]{12}\.jsonl")
_REMEMBERED = 32
_TRIES = 100


class BucketChains:
    """The chains in a bucket; one thread at a time for each month, see ChainWriter."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._known: dict[Path, _Known] = {}
        self._lock = threading.Lock()

    def extend(self, month: Path, batch: Sequence[Entry]) -> None:
        """Add what the chain does not say yet; raises BucketError."""
        with self._lock:
            known = self._known.pop(month, None)
        if known is None or (known.words is None and any(entry.again for entry in batch)):
            known = self._read(month, whole=any(entry.again for entry in batch))
        for _ in range(_TRIES):
            lines = lines_after(known.head, [one for one in batch if not known.says(one)])
            if not lines:
                break
            name = f"{month.as_posix()}/{FOLDER}/{known.head.length + 1:012}.jsonl"
            try:
                self._bucket.create(name, lines, "application/jsonl")
            except TakenError:
                theirs = self._bucket.read(name)
                if theirs != lines:  # else an answer was lost on its way
                    known.take(theirs or b"")
                    continue
            known.take(lines)
            break
        else:
            raise BucketError(f"{self._bucket.address}: too many write to {month}", lasting=False)
        with self._lock:
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[month] = known

    def _read(self, month: Path, *, whole: bool) -> "_Known":
        folder = f"{month.as_posix()}/{FOLDER}"
        names = sorted(one.name for one in self._bucket.below(folder))
        names = [name for name in names if NAMES.fullmatch(name.rpartition("/")[2])]
        known = _Known(month, {} if whole else None)
        for lines in self._bucket.read_all(names if whole else names[-1:]):
            known.take(lines or b"")
        return known


class _Known:
    """What is known of a chain: its head and, if it was read as a whole, what it says."""

    def __init__(self, month: Path, words: dict[str, str | None] | None) -> None:
        self.head = Head(0, origin(month))
        self.words = words

    def says(self, entry: Entry) -> bool:
        """Whether the last word on a folder is this entry already."""
        if not entry.again or self.words is None:
            return False
        return self.words.get(entry.folder) == entry.manifest

    def take(self, lines: bytes) -> None:
        """Go on to the end of lines that follow; what is none of ours is counted."""
        for line in lines.splitlines():
            found = parse(line)
            number = found.number if found else self.head.length + 1
            self.head = Head(number, digest(line))
            if found and self.words is not None:
                self.words[found.folder] = found.manifest
