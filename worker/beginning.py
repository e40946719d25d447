"""Whether the steps of a delivery may begin: what its route waits for, and how often it runs."""

from datetime import UTC, datetime

from message_store.message import Message

from .facts import Facts
from .ledger.occasions import OccasionLedger
from .ledger.records import Claim
from .routes import Route

TRANSCRIPT = "transcript"


async def hold_back(
    claim: Claim, route: Route, message: Message, occasions: OccasionLedger
) -> float | None:
    """Hold a delivery back that may not begin: the seconds until it is due, or None.

    Its state is then "done" if it is one too many, else "due": with seconds it waits, with none
    it begins. One that has begun is never held back.
    """
    delivery = claim.delivery
    if delivery.step is not None:
        return None
    left = route.waits(message, datetime.now(UTC))
    delivery.awaits = TRANSCRIPT if left else None
    if left:
        delivery.reason = "waits for the transcription"
        return left.total_seconds()
    delivery.reason = None
    sender = Facts(message, claim.mailbox).plain("from")
    if route.once_per is not None and sender:
        occasion = f"{claim.mailbox}\t{claim.lane}\t{sender[0]}"
        if not await occasions.take(occasion, claim.message_id, route.once_per):
            delivery.state = "done"
            delivery.reason = "not done: the steps ran for this sender not long before"
    return None
