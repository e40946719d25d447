"""Where in an archive each message lies, and which messages lie there. Links are not followed.

`<root>/<account>/<extension>/<YYYY>/<MM>/<DD>/<type>-<message id>/`, the date in UTC, and
`revisions/<time>-<what happened>/` below it.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.handlers.durable import MANIFEST
from worker.handlers.filenames import safe_id, safe_name

MESSAGE = "message.json"
MAIL = "message.eml"
REVISIONS = "revisions"

ANY = re.compile(r".+", re.DOTALL)
IDS = re.compile(r"[0-9a-z_-]{1,64}|_[0-9A-Za-z_-]{1,40}\.[0-9a-f]{16}")
YEARS = re.compile(r"[0-9]{4}")
MONTHS = re.compile(r"0[1-9]|1[0-2]")
DAYS = re.compile(r"0[1-9]|[12][0-9]|3[01]")
_PLAIN = re.compile(r"([A-Za-z]+)-([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class Archived:
    """A message in the archive; `has_original` is False where there are only revisions of it."""

    mailbox: Mailbox
    id: str
    type: str
    day: date
    folder: Path
    has_original: bool = True

    @property
    def root(self) -> Path:
        """The folder of the whole archive."""
        return self.folder.parents[5]


def mailbox_folder(root: Path, mailbox: Mailbox) -> Path:
    """All of one mailbox."""
    return root / safe_id(mailbox.account_id) / safe_id(mailbox.extension_id)


def folder_of(root: Path, mailbox: Mailbox, message: Message) -> Path:
    """The message's folder: date and ids from the message, every part made safe."""
    day = message.created
    return mailbox_folder(root, mailbox).joinpath(
        f"{day.year:04}",
        f"{day.month:02}",
        f"{day.day:02}",
        f"{safe_name(message.type or '', 'Message')[:40]}-{safe_id(message.id)}",
    )


def mailboxes(root: Path) -> Iterator[Mailbox]:
    """The mailboxes that have something in the archive, in order of their folders."""
    for folder in mailbox_folders(root):
        if mailbox := mailbox_of(folder.parent.name, folder.name):
            yield mailbox


def mailbox_of(account: str, extension: str) -> Mailbox | None:
    """The mailbox of two folders' names; None if they are of none."""
    ids = _id_of(account), _id_of(extension)
    return Mailbox(ids[0], ids[1]) if ids[0] and ids[1] else None


def mailbox_folders(root: Path) -> Iterator[Path]:
    """The folders of the mailboxes that have something in the archive."""
    for account in subfolders(root, IDS):
        for extension in subfolders(account, IDS):
            if subfolders(extension, YEARS):
                yield extension


def months(mailbox: Path, first: date | None = None, last: date | None = None) -> Iterator[Path]:
    """The months of a mailbox's folder, oldest first, that have a day from `first` to `last`."""
    for year in subfolders(mailbox, YEARS):
        for month in subfolders(year, MONTHS):
            name = (int(year.name), int(month.name))
            if first is not None and name < (first.year, first.month):
                continue
            if last is not None and name > (last.year, last.month):
                return
            yield month


def days(month: Path, first: date | None = None, last: date | None = None) -> Iterator[Path]:
    """The days of a month's folder from `first` to `last`, both included, oldest first."""
    for day in subfolders(month, DAYS):
        when = day_of(day)
        if when is None or (first and when < first) or (last and when > last):
            continue
        yield day


def day_of(folder: Path) -> date | None:
    """The date of a day's folder; None for one that is in no calendar."""
    try:
        return date(int(folder.parent.parent.name), int(folder.parent.name), int(folder.name))
    except (ValueError, OverflowError):
        return None


def archived(
    root: Path, mailbox: Mailbox, first: date | None = None, last: date | None = None
) -> Iterator[Archived]:
    """The messages of a mailbox from `first` to `last`, both included, oldest day first.

    What is not committed is left out. One folder is looked at after the other. Raises OSError.
    """
    for month in months(mailbox_folder(root, mailbox), first, last):
        for day in days(month, first, last):
            when = day_of(day)
            for folder in messages_of(day) if when else ():
                has_original = is_committed(folder)
                if when and (has_original or any(revisions(folder))):
                    message_id, message_type = named(folder)
                    yield Archived(mailbox, message_id, message_type, when, folder, has_original)


def messages_of(day: Path) -> list[Path]:
    """The folders of a day whose names could be ours, sorted."""
    return [folder for folder in subfolders(day, ANY) if safe_name(folder.name) == folder.name]


def revisions(folder: Path) -> Iterator[Path]:
    """The committed revisions of a message, in order of their time."""
    return (path for path in subfolders(folder / REVISIONS, ANY) if is_committed(path))


def is_committed(folder: Path) -> bool:
    """Whether a folder has its manifest."""
    return (folder / MANIFEST).is_file()


def subfolders(folder: Path, form: re.Pattern[str]) -> list[Path]:
    """The folders in a folder whose names have this form, sorted; none if it is not there."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if form.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []
    return [folder / name for name in names]


def _id_of(name: str) -> str | None:
    """The id that `safe_id` made this name of; None if it cannot be told."""
    plain = name[1:].rpartition(".")[0]
    found = (text for text in (name, plain, plain.replace("_", "~")) if text)
    return next((text for text in found if safe_id(text) == name), None)


def named(folder: Path) -> tuple[str, str]:
    """Id and type of the message in a folder: from its name, or from within if that was changed."""
    if found := _PLAIN.fullmatch(folder.name):
        return found[2], found[1]
    for place in (folder, *revisions(folder)):
        path = place / MESSAGE
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                continue  # a pipe would never end
            message = Message.model_validate(orjson.loads(path.read_bytes()))
        except (FileNotFoundError, ValueError):
            continue
        return message.id, message.type or ""
    kind, _, mark = folder.name.rpartition("-")
    return mark, kind
