"""Is an archive what its chains say, byte by byte? Every difference is named.

Goes through one month of one mailbox after the other, also while messages are being archived.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from message_store.mailbox import Mailbox
from worker.archive.chain import CHAIN, Head
from worker.archive.chain_state import ChainState
from worker.archive.folders import Fault, faults_in, read_manifest
from worker.archive.holds import HOLDS, Hold, HoldsUnreadableError, is_held, read_history, were_on
from worker.archive.layout import (
    ANY,
    DAYS,
    IDS,
    MONTHS,
    REVISIONS,
    YEARS,
    day_of,
    mailbox_folder,
    mailbox_folders,
)
from worker.handlers.durable import MANIFEST

IN_NO_CHAIN = "is in no chain"
"""What is wrong with a folder that was added by others, or archived before there were chains."""

EXTRA = "is extra: an archive has nothing of this name here"
OTHER_SHA256 = "has changed: the chain has another sha256"

SETTLING_SECONDS = 1.0
"""How long after a folder's commit its line in the chain may come."""

_FRESH_SECONDS = 60.0


@dataclass(slots=True)
class Tally:
    """What was looked at.

    `removed` are messages whose time was over, `doomed` those whose removal is recorded and not
    finished, `unfinished` folders with something in them that were not committed.
    """

    months: int = 0
    messages: int = 0
    revisions: int = 0
    files: int = 0
    size: int = 0
    removed: int = 0
    doomed: int = 0
    unfinished: int = 0


def verify(
    root: Path,
    *,
    mailbox: Mailbox | None = None,
    first: date | None = None,
    last: date | None = None,
    heads: Mapping[str, Head] | None = None,
    tally: Tally | None = None,
) -> Iterator[Fault]:
    """The faults of an archive, or of a mailbox or of the days from `first` to `last` in it.

    `heads` are those that the chains of the mailbox had at some time, by `YYYY-MM`: a chain that
    has grown since is right. Raises OSError if the archive cannot be read.
    """
    if heads is not None and mailbox is None:
        raise ValueError("heads are those of one mailbox")
    tally = tally if tally is not None else Tally()
    heads = dict(heads or {})
    try:
        holds = read_history(root)
    except HoldsUnreadableError:
        yield Fault(root / HOLDS, "cannot be read, so nobody knows what was on hold; mend it")
        holds = []
    if mailbox is None:
        yield from _beside_mailboxes(root)
    for folder in [mailbox_folder(root, mailbox)] if mailbox else mailbox_folders(root):
        extra: list[Fault] = []
        for year in _folders(folder, YEARS, extra):
            for month in _folders(year, MONTHS, extra):
                name = f"{year.name}-{month.name}"
                if _overlaps(name, first, last):
                    tally.months += 1
                    looked_at = _Month(month, first, last, tally)
                    yield from looked_at.faults(heads.pop(name, None))
                    yield from looked_at.removed_though_held(holds)
        yield from extra
        for name, head in sorted(heads.items()):
            if _overlaps(name, first, last):
                words = f"is missing: it had {head.length} line{'s'[: head.length != 1]}"
                yield Fault(folder.joinpath(*name.split("-"), CHAIN), words)


class _Month:
    def __init__(self, folder: Path, first: date | None, last: date | None, tally: Tally) -> None:
        self._folder = folder
        self._first = first
        self._last = last
        self._tally = tally
        self._chain = ChainState(folder)
        self._seen: set[str] = set()
        # What may be so because of work that went on meanwhile.
        self._unknown: dict[str, str] = {}
        self._doubtful: list[tuple[str, Fault]] = []

    def faults(self, head: Head | None) -> Iterator[Fault]:
        self._chain.read(head)
        yield from self._chain.faults
        extra: list[Fault] = []
        for day in _folders(self._folder, DAYS, extra, CHAIN):
            if day_of(day) is None:
                extra.append(Fault(day, EXTRA))
            elif self._asked(day.name):
                for message in _folders(day, ANY, extra):
                    self._look(message, extra)
        yield from extra
        present = filter(self._asked, self._chain.present())
        missing = [name for name in present if name not in self._seen]
        if missing or self._unknown or self._doubtful or self._chain.is_torn:
            yield from self._look_again(missing)
        self._tally.removed += sum(map(self._asked, self._chain.removed()))

    def removed_though_held(self, history: Sequence[Hold]) -> Iterator[Fault]:
        """The removals that were while a hold was on the message."""
        mailbox = self._folder.parents[1]
        for name, at in self._chain.removals if history else ():
            message = self._folder / name
            if self._asked(name) and is_held(were_on(history, _moment(at)), mailbox, message):
                yield Fault(message, f"was removed at {at} while it was on hold")

    def _asked(self, name: str) -> bool:
        """Whether a folder of the month is of a day that was asked for."""
        day = day_of(self._folder / name.partition("/")[0])
        if day is None:
            return True
        return not ((self._first and day < self._first) or (self._last and day > self._last))

    def _look(self, message: Path, extra: list[Fault]) -> None:
        name = self._name(message)
        if self._chain.is_removed(name):
            self._tally.doomed += 1
            return
        revisions = _folders(message / REVISIONS, ANY, extra)
        committed = [one for one in (message, *revisions) if self._is_committed(one)]
        self._tally.messages += bool(committed)
        self._tally.revisions += sum(one != message for one in committed)
        for folder in committed:
            self._doubtful += ((name, fault) for fault in self._look_into(folder))

    def _is_committed(self, folder: Path) -> bool:
        """Whether a folder is archived, or the chain says so; what it holds counts if not."""
        name = self._name(folder)
        self._seen.add(name)
        if self._chain.manifest(name) is not None or os.path.lexists(folder / MANIFEST):
            return True
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
            # There may be nothing but revisions of a message.
            self._tally.unfinished += any(item.name != REVISIONS for item in found)
        return False

    def _look_into(self, folder: Path) -> Iterator[Fault]:
        name = self._name(folder)
        known = self._chain.manifest(name)
        manifest = read_manifest(folder)
        if isinstance(manifest, Fault):
            yield manifest
            return
        self._tally.files += len(manifest.files)
        self._tally.size += sum(entry.size for entry in manifest.files)
        if known is None:
            self._unknown[name] = manifest.sha256
        elif known != manifest.sha256:
            yield Fault(folder / MANIFEST, OTHER_SHA256)
        yield from faults_in(folder, manifest)

    def _look_again(self, missing: list[str]) -> Iterator[Fault]:
        if self._chain.is_torn or any(_is_fresh(self._folder / name) for name in self._unknown):
            time.sleep(SETTLING_SECONDS)
        chain = ChainState(self._folder)
        chain.read()
        if chain.is_torn:
            yield Fault(self._folder / CHAIN, "is cut off in the middle of its last line")
        for message, fault in self._doubtful:
            if not chain.is_removed(message):
                yield fault
        for name, sha256 in self._unknown.items():
            if not chain.is_removed(name) and chain.manifest(name) != sha256:
                yield Fault(self._folder / name, IN_NO_CHAIN)
        for name in missing:
            if chain.manifest(name) is not None and not _is_there(self._folder, name):
                yield Fault(self._folder / name, "is missing: the chain has it")

    def _name(self, folder: Path) -> str:
        return folder.relative_to(self._folder).as_posix()


def _moment(text: str) -> datetime:
    """The time in a line; of one that is none, nobody can say that it was before a hold."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _beside_mailboxes(root: Path) -> Iterator[Fault]:
    """What lies in an account's folder beside its mailboxes."""
    for account in sorted({folder.parent for folder in mailbox_folders(root)}):
        extra: list[Fault] = []
        _folders(account, IDS, extra)
        yield from extra


def _folders(
    folder: Path, form: re.Pattern[str], extra: list[Fault], besides: str = ""
) -> list[Path]:
    """The folders of this form in a folder, sorted; what else is there goes to `extra`."""
    try:
        with os.scandir(folder) as found:
            names = sorted((item.name, item.is_dir(follow_symlinks=False)) for item in found)
    except FileNotFoundError:
        return []
    folders = []
    for name, is_folder in names:
        if is_folder and form.fullmatch(name):
            folders.append(folder / name)
        elif name != besides or is_folder:
            extra.append(Fault(folder / name, EXTRA))
    return folders


def _is_there(month: Path, name: str) -> bool:
    parts = Path(name).parts
    steps = [month.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    return all(step.is_dir() and not step.is_symlink() for step in steps)


def _is_fresh(folder: Path) -> bool:
    """Whether a folder was committed so lately that its line in the chain may be on its way."""
    try:
        return abs(time.time() - (folder / MANIFEST).lstat().st_ctime) < _FRESH_SECONDS
    except FileNotFoundError:
        return True


def _overlaps(month: str, first: date | None, last: date | None) -> bool:
    return not ((first and month < f"{first:%Y-%m}") or (last and month > f"{last:%Y-%m}"))
