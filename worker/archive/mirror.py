"""A bucket's archive brought to this disk, one month after the other, to be looked at like any.

Everything here blocks, and raises BucketError and OSError.
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from message_store.mailbox import Mailbox
from worker.archive.bucket import Bucket, Listed
from worker.archive.bucket_chain import FOLDER, NAMES
from worker.archive.chain import CHAIN, parse
from worker.archive.folders import Fault, is_plain
from worker.archive.layout import (
    MONTHS,
    REVISIONS,
    YEARS,
    Archived,
    archived,
    mailbox_folder,
    mailbox_of,
)
from worker.archive.verification import Tally, verify

_AT_ONCE = 8
_FRESH = timedelta(minutes=1)
_SETTLING_SECONDS = 1.0


class Mirror:
    """A context manager around the folder that the months are brought to."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._root = Path()

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="ringpost-mirror-"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def name_of(self, path: Path) -> str:
        """The address of what a path here stands for."""
        if not path.is_relative_to(self._root):
            return str(path)
        return f"{self._bucket.address}/{path.relative_to(self._root).as_posix()}"

    def mailboxes(self) -> Iterator[Mailbox]:
        """The mailboxes that have something in the archive."""
        for account in self._bucket.folders(""):
            for extension in self._bucket.folders(account):
                if mailbox := mailbox_of(account, extension):
                    yield mailbox

    def verify(
        self, mailbox: Mailbox | None, first: date | None, last: date | None, tally: Tally
    ) -> Iterator[Fault]:
        """The faults of the archive, see `verification.verify`; their paths are those here."""
        for one in [mailbox] if mailbox else self.mailboxes():
            extra: list[Fault] = []
            for _ in self._months(one, first, last, extra):
                yield from verify(self._root, first=first, last=last, tally=tally)
            yield from extra

    def messages(
        self, mailboxes: Iterable[Mailbox], first: date | None, last: date | None
    ) -> Iterator[Archived]:
        """The messages of mailboxes; each is here until the next one is asked for."""
        for mailbox in mailboxes:
            for _ in self._months(mailbox, first, last, []):
                yield from archived(self._root, mailbox, first, last)

    def _months(
        self, mailbox: Mailbox, first: date | None, last: date | None, extra: list[Fault]
    ) -> Iterator[None]:
        """Bring one month after the other; each is here until the next one is asked for."""
        folder = mailbox_folder(Path(), mailbox)
        for year in self._bucket.folders(folder.as_posix()):
            for month in self._bucket.folders((folder / year).as_posix()):
                name = f"{year}-{month}"
                if not (YEARS.fullmatch(year) and MONTHS.fullmatch(month)):
                    extra.append(Fault(self._root / folder / year / month, "is extra"))
                elif not (first and name < f"{first:%Y-%m}") and not (
                    last and name > f"{last:%Y-%m}"
                ):
                    self._bring(folder / year / month, extra)
                    yield
                    shutil.rmtree(self._root / folder)

    def _bring(self, month: Path, extra: list[Fault]) -> None:
        prefix = month.as_posix()
        before = {one.name: one for one in self._bucket.below(prefix)}
        if any(datetime.now(UTC) - one.modified < _FRESH for one in before.values()):
            time.sleep(_SETTLING_SECONDS)  # the line of a folder comes after its manifest
        lines = self._chain(month)
        known = {found.folder for line in lines.splitlines() if (found := parse(line))}
        wanted = []
        for one in self._bucket.below(prefix):
            parts = one.name.split("/")
            if NAMES.fullmatch(parts[-1]) and parts[4:-1] == [FOLDER]:
                continue
            if not all(is_plain(part) and len(part.encode()) < 256 for part in parts):
                words = f"has an object that no file can be named as: {one.name!r}"
                extra.append(Fault(self._root / month, words))
            elif one.name in before or _folder_of(parts) in known:
                wanted.append(one)
        (self._root / month).mkdir(parents=True, exist_ok=True)
        if lines:
            (self._root / month / CHAIN).write_bytes(lines)
        for folder, _ in groupby(wanted, lambda one: one.name.rpartition("/")[0]):
            (self._root / folder).mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            extra += filter(None, threads.map(self._download, wanted))

    def _chain(self, month: Path) -> bytes:
        """All lines of the chain as they would lie on a disk."""
        names = sorted(one.name for one in self._bucket.below(f"{month.as_posix()}/{FOLDER}"))
        names = [name for name in names if NAMES.fullmatch(name.rpartition("/")[2])]
        return b"".join(lines or b"" for lines in self._bucket.read_all(names))

    def _download(self, one: Listed) -> Fault | None:
        path = self._root / one.name
        if path.is_dir():
            return Fault(path, "is extra: an object has the name of a folder")
        try:
            with path.open("wb") as file:
                for piece in self._bucket.stream(one.name):
                    file.write(piece)
        except FileNotFoundError:  # removed while we looked: the manifest or the chain misses it
            path.unlink(missing_ok=True)
        return None


def _folder_of(parts: list[str]) -> str:
    """The folder of the month that an object belongs to."""
    depth = 8 if REVISIONS in parts[6:7] else 6
    return "/".join(parts[4:depth])
