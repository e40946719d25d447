"""What handlers note in the ledger."""

from datetime import timedelta

from .connection import Connection
from .consents import ConsentLedger
from .occasions import OccasionLedger


class LedgerNotes:
    """Occasions and consents as handlers see them."""

    def __init__(self, connection: Connection) -> None:
        self._occasions = OccasionLedger(connection)
        self._consents = ConsentLedger(connection)

    async def take(self, name: str, taker: str, period: timedelta) -> bool:
        """Take an occasion for a while; True as well if this taker has it already."""
        return await self._occasions.take(f"handler\t{name}", taker, period)

    async def may_text(self, account_id: str, number: str) -> bool:
        """Whether the number has not said STOP, or START since."""
        return await self._consents.may_text(account_id, number)
