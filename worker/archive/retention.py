"""Removing messages whose time is over: said in the chain first, then done."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from worker.archive.chain_state import ChainState
from worker.archive.chain_writer import ChainWriter, Entry
from worker.archive.holds import is_held, read_holds
from worker.archive.layout import days, mailbox_folders, messages_of, months
from worker.handlers.durable import locked, sync_folder

_BATCH = 200


def expired(root: Path, keep: timedelta, today: date) -> Iterator[Path]:
    """The messages that are older than `keep` on this day and not held.

    Raises OSError and HoldsUnreadableError.
    """
    holds = read_holds(root)
    last = _last_day(keep, today)
    for mailbox in mailbox_folders(root):
        for month in months(mailbox, last=last):
            for day in days(month, last=last):
                for message in messages_of(day):
                    if not is_held(holds, mailbox, message):
                        yield message


def remove_expired(root: Path, keep: timedelta, today: date) -> Iterator[list[Path]]:
    """Remove them, some at a time; what was removed each time.

    A crash in between leaves messages that the chain calls removed; the next call removes them.
    Raises OSError and HoldsUnreadableError.
    """
    chains = ChainWriter(root)
    why = f"kept for {_in_days(keep)} days"
    last = _last_day(keep, today)
    for mailbox in mailbox_folders(root):
        for month in months(mailbox, last=last):
            for day in days(month, last=last):
                messages = messages_of(day)
                for start in range(0, len(messages), _BATCH):
                    # No hold is put on meanwhile: whoever puts one on waits for this lock.
                    with locked(root):
                        holds = read_holds(root)
                        some = messages[start : start + _BATCH]
                        some = [one for one in some if one.is_dir()]
                        batch = [one for one in some if not is_held(holds, mailbox, one)]
                        _remove(month, batch, chains, why)
                    if batch:
                        yield batch
                _remove_if_empty(day)


def _last_day(keep: timedelta, today: date) -> date:
    """The last day whose messages are older than `keep`, all of them."""
    kept = timedelta(days=_in_days(keep))
    return max(today - timedelta(days=1), date.min + kept) - kept


def _in_days(keep: timedelta) -> int:
    return -(-keep // timedelta(days=1))


def _remove(month: Path, messages: list[Path], chains: ChainWriter, why: str) -> None:
    chain = ChainState(month)
    chain.read()
    names = [message.relative_to(month).as_posix() for message in messages]
    entries = [Entry("removed", name, why=why) for name in names if not chain.is_removed(name)]
    if entries:
        chains.append(month, entries)
    for message in messages:
        shutil.rmtree(message)
    if messages:
        sync_folder(messages[0].parent)


def _remove_if_empty(day: Path) -> None:
    try:
        day.rmdir()
    except OSError:
        return  # something is kept there
    sync_folder(day.parent)
