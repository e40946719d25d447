"""Messages as they lie in archives, for looking at routes without RingCentral."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from message_store.mailbox import Mailbox
from ringpost.output import hint
from ringpost.refusal import Refusal
from ringpost.trying import Source, of_file
from worker.archive.layout import (
    MESSAGE,
    archived,
    is_committed,
    mailbox_folder,
    mailboxes,
)
from worker.completeness.archives import archives_in


def roots_of(handlers: Mapping[str, object]) -> list[Path]:
    """The folders of the archives that are there."""
    return [root for root in dict.fromkeys(archives_in(handlers).values()) if root.is_dir()]


def find_message(roots: Iterable[Path], message_id: str, mailbox: str | None) -> Source | None:
    """The message of this id in one of the archives; None if none has it."""
    for root in roots:
        for one in mailboxes(root):
            if mailbox not in (None, str(one), one.extension_id):
                continue
            days = "[0-9]" * 4 + "/[0-9][0-9]/[0-9][0-9]"
            for folder in mailbox_folder(root, one).glob(f"{days}/*-{message_id}"):
                if is_committed(folder):
                    return replace(of_file(folder / MESSAGE), mailbox=one)
    return None


def since(
    roots: Iterable[Path], names: Sequence[str], first: datetime, until: datetime
) -> Iterator[Source]:
    """Every message that was created in this period, once; `names` are mailboxes, none for all.

    Raises Refusal for a mailbox that no archive has. What cannot be read is left out and named.
    """
    told: set[tuple[Mailbox, str]] = set()
    found = [(root, one) for root in roots for one in mailboxes(root)]
    for name in names:
        if not any(name in (str(one), one.extension_id) for _, one in found):
            raise Refusal(
                f"--mailbox {name[:80]}: no archive has messages of it; give the extension's id"
            )
    for root, one in found:
        if names and not {str(one), one.extension_id}.intersection(names):
            continue
        for message in archived(root, one, first.date(), until.date()):
            if not message.has_original or (one, message.id) in told:
                continue
            told.add((one, message.id))
            try:
                source = replace(of_file(message.folder / MESSAGE), mailbox=one)
            except Refusal as refusal:
                hint(f"left out: {'; '.join(refusal.lines)}")
                continue
            if first <= source.message.created < until:
                yield source
