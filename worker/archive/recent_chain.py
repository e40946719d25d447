"""The chain of the month that was asked for last, read again when it has grown."""

import time
from pathlib import Path

from worker.archive import verification
from worker.archive.chain import CHAIN
from worker.archive.chain_state import ChainState
from worker.archive.folders import Fault, Manifest
from worker.archive.layout import REVISIONS
from worker.archive.verification import IN_NO_CHAIN, OTHER_SHA256
from worker.handlers.durable import MANIFEST


class RecentChain:
    """Tells of folders, which come month by month, what the chain says of them.

    `faults` are those of the chains themselves.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._month: Path | None = None
        self._size: int | None = None
        self._chain = ChainState(Path())
        self._asked_at = 0.0

    def has_removed(self, message: Path) -> bool:
        """Whether the chain says that the message went because its time was over."""
        month, name = _in_month(message)
        return self._of(month).is_removed(name)

    def what_is_wrong(self, folder: Path, manifest: Manifest) -> str:
        """Why a manifest is not the one of the chain, empty if it is."""
        month, name = _in_month(folder)
        known = self._of(month).manifest(name)
        if known is None and self._may_be_on_its_way(folder):
            time.sleep(verification.SETTLING_SECONDS)
            known = self._of(month).manifest(name)
        if known is None:
            return IN_NO_CHAIN
        return "" if known == manifest.sha256 else OTHER_SHA256

    def _may_be_on_its_way(self, folder: Path) -> bool:
        """Whether the chain was asked too soon after the commit to have its line."""
        committed = (folder / MANIFEST).lstat().st_ctime
        return self._asked_at - committed < verification.SETTLING_SECONDS

    def _of(self, month: Path) -> ChainState:
        self._asked_at = time.time()
        try:
            size = (month / CHAIN).lstat().st_size
        except FileNotFoundError:
            size = None
        if (month, size) != (self._month, self._size):
            self._chain = ChainState(month)
            self._chain.read()
            if month != self._month:
                self.faults += self._chain.faults
            self._month, self._size = month, size
        return self._chain


def _in_month(folder: Path) -> tuple[Path, str]:
    """The month of a message or a revision, and its name in it."""
    message = folder.parents[1] if folder.parent.name == REVISIONS else folder
    month = message.parents[1]
    return month, folder.relative_to(month).as_posix()
