"""What handlers may note beyond one attempt, and what numbers have said of being texted."""

from datetime import timedelta
from typing import Protocol


class Notes(Protocol):
    """Kept in the ledger by a worker; see `Context.take` and `Context.may_text`."""

    async def take(self, name: str, taker: str, period: timedelta) -> bool:
        """Take an occasion for a while; True as well if this taker has it already."""

    async def may_text(self, account_id: str, number: str) -> bool:
        """Whether the number has not said STOP, or START since."""


class MemoryNotes:
    """Notes of one process, for a trial and for tests; an occasion once taken stays so."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self.stopped: set[str] = set()

    async def take(self, name: str, taker: str, period: timedelta) -> bool:
        """See `Notes`."""
        return self._taken.setdefault(name, taker) == taker

    async def may_text(self, account_id: str, number: str) -> bool:
        """See `Notes`."""
        return number not in self.stopped
