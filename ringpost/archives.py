"""Which archive a command is for, and which mailbox in it; needs neither Redis nor RingCentral."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ringpost.output import hint
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox
    from worker.archive.bucket import Bucket
    from worker.archive.folders import Fault
    from worker.archive.layout import Archived
    from worker.archive.mirror import Mirror
    from worker.archive.verification import Tally

_SOME = 10


class OnThisDisk:
    """An archive in a folder, asked as a Mirror is asked for one in a bucket."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return

    def name_of(self, path: Path) -> str:
        """Where something is."""
        return str(path)

    def mailboxes(self) -> "Iterator[Mailbox]":
        """The mailboxes that have something in the archive."""
        from worker.archive.layout import mailboxes

        return mailboxes(self._root)

    def verify(
        self, mailbox: "Mailbox | None", first: date | None, last: date | None, tally: "Tally"
    ) -> "Iterator[Fault]":
        """The faults of the archive."""
        from worker.archive.verification import verify

        return verify(self._root, mailbox=mailbox, first=first, last=last, tally=tally)

    def messages(
        self, mailboxes: "Iterable[Mailbox]", first: date | None, last: date | None
    ) -> "Iterator[Archived]":
        """The messages of mailboxes."""
        from worker.archive.layout import archived

        return (one for box in mailboxes for one in archived(self._root, box, first, last))


def opened(place: "Path | Bucket") -> "OnThisDisk | Mirror":
    """The archive in a folder or a bucket, to be read."""
    if isinstance(place, Path):
        return OnThisDisk(place)
    from worker.archive.mirror import Mirror

    return Mirror(place)


def find_places(
    folder: Path | None, handler: str | None, config: Path | None
) -> "list[Path | Bucket]":
    """The folders and buckets to look at; raises Refusal."""
    if folder is not None:
        return [_given(folder, handler)]
    from worker.archive.places import buckets, places

    handlers = _archives(handler, config)
    return [*map(_existing, places(handlers)), *buckets(handlers)]


def find_archives(
    folder: Path | None, handler: str | None, config: Path | None
) -> dict[Path, timedelta | None]:
    """The folders to work on, and how long messages are kept there; None is for ever.

    Those of the configuration, or of one handler in it, or the folder given, of which nobody knows
    how long. Buckets are left out, with a hint. Raises Refusal.
    """
    if folder is not None:
        return {_given(folder, handler): None}
    from worker.archive.places import buckets, places

    handlers = _archives(handler, config)
    found = places(handlers)
    addresses = ", ".join(str(bucket.address) for bucket in buckets(handlers))
    words = f"{addresses}: what is kept or removed in a bucket is set on the bucket itself"
    if not found:
        raise Refusal(f"{words}; this command is for folders")
    if addresses:
        hint(f"{words}, so it is left out")
    for root in found:
        _existing(root)
    return found


def one_place(folder: Path | None, handler: str | None, config: Path | None) -> "Path | Bucket":
    """The one folder or bucket to look at; raises Refusal, also if there are several."""
    found = find_places(folder, handler, config)
    if len(found) > 1:
        names = ", ".join(map(in_words, found))
        raise Refusal(f"there are several archives ({names}); name one, or use --handler")
    return found[0]


def in_words(place: "Path | Bucket") -> str:
    """The folder or the bucket's address."""
    return str(place if isinstance(place, Path) else place.address)


def find_mailboxes(
    archive: "OnThisDisk | Mirror", where: str, names: "Iterable[str]"
) -> "list[Mailbox]":
    """The mailboxes of these names, each once, in the archive's order; raises Refusal."""
    found = list(archive.mailboxes())
    meant = {_mailbox_of(found, where, name) for name in names}
    return [one for one in found if one in meant]


def _mailbox_of(found: "list[Mailbox]", where: str, text: str) -> "Mailbox":
    """The mailbox `account/extension`, or the only one of this extension id."""
    meant = [one for one in found if text in (str(one), one.extension_id)]
    if len(meant) == 1:
        return meant[0]
    some = ", ".join(str(one) for one in (meant or found)[:_SOME]) or "none at all"
    more = " and more" if len(meant or found) > _SOME else ""
    what = "several have this extension" if meant else f"{where} has no such mailbox"
    raise Refusal(f'--mailbox "{text}": {what}; there are: {some}{more}')


def parse_date(option: str, text: str | None) -> date | None:
    """A day such as `2026-01-31`; raises Refusal."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        raise Refusal(f'{option} "{text}": is no day; write such as 2026-01-31') from None


def _given(folder: Path, handler: str | None) -> Path:
    if handler is not None:
        raise Refusal("--handler: a folder is given as well; leave one of them out")
    if str(folder).startswith(("s3:/", "gs:/", "az:/")):
        raise Refusal(f"{folder}: is no folder; name the bucket's handler with --handler")
    return _existing(folder.absolute())


def _archives(handler: str | None, config: Path | None) -> "dict[str, object]":
    """The handlers of the configuration that archive, or the one that is named."""
    from ringpost.surroundings import read_running_configuration
    from worker.archive.places import buckets, places

    path, _, handlers = read_running_configuration(config)
    if handler is not None and handler not in handlers:
        names = ", ".join(sorted(handlers))
        raise Refusal(f'--handler "{handler}": {path} has no handler of this name, only {names}')
    found: dict[str, object] = {n: h for n, h in handlers.items() if handler in (None, n)}
    if not places(found) and not buckets(found):
        what = f'--handler "{handler}" is no archive' if handler else f"{path} names no archive"
        raise Refusal(f'{what}; name a handler with use = "archive", or the folder itself')
    return found


def _existing(root: Path) -> Path:
    if not root.is_dir():
        raise Refusal(f"{root}: there is no such folder, so no archive yet")
    return root
