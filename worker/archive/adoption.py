"""Taking folders into the chain that are in none: archived before there was one."""

from collections.abc import Iterator
from pathlib import Path

from message_store.mailbox import Mailbox
from worker.archive.chain_state import ChainState
from worker.archive.chain_writer import ChainWriter, Entry
from worker.archive.folders import Fault, faults_in, read_manifest
from worker.archive.layout import (
    ANY,
    REVISIONS,
    days,
    is_committed,
    mailbox_folder,
    mailbox_folders,
    months,
    subfolders,
)
from worker.archive.verification import EXTRA
from worker.handlers.filenames import safe_name

_BATCH = 500


def adopt(root: Path, mailbox: Mailbox | None = None) -> Iterator[Path | Fault]:
    """Each folder that is taken into its chain, and what is wrong with those that are not.

    Only what is as its own manifest says is taken. Raises OSError.
    """
    chains = ChainWriter(root)
    for folder in [mailbox_folder(root, mailbox)] if mailbox else mailbox_folders(root):
        for month in months(folder):
            yield from _adopt_month(month, chains)


def _adopt_month(month: Path, chains: ChainWriter) -> Iterator[Path | Fault]:
    chain = ChainState(month)
    chain.read()
    batch: list[Entry] = []
    for folder in _outside(month, chain):
        if safe_name(folder.name) != folder.name:
            yield Fault(folder, EXTRA)  # not a name that we give
            continue
        manifest = read_manifest(folder)
        faults = [manifest] if isinstance(manifest, Fault) else list(faults_in(folder, manifest))
        if faults or isinstance(manifest, Fault):
            yield from faults
            continue
        name = folder.relative_to(month).as_posix()
        batch.append(Entry("adopted", name, manifest.sha256, again=True))
        if len(batch) == _BATCH:
            yield from _append(month, chains, batch)
    yield from _append(month, chains, batch)


def _append(month: Path, chains: ChainWriter, batch: list[Entry]) -> Iterator[Path]:
    if batch:
        chains.append(month, batch)
    yield from (month / entry.folder for entry in batch)
    batch.clear()


def _outside(month: Path, chain: ChainState) -> Iterator[Path]:
    for day in days(month):
        for message in subfolders(day, ANY):
            if chain.is_removed(message.relative_to(month).as_posix()):
                continue
            for folder in (message, *subfolders(message / REVISIONS, ANY)):
                name = folder.relative_to(month).as_posix()
                if chain.manifest(name) is None and is_committed(folder):
                    yield folder
