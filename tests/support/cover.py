"""What the ledger says of mailboxes: which are dark, and which are due to be synchronised."""

from collections.abc import Sequence

from message_store.mailbox import Mailbox
from worker.ledger import Ledger

_SCHEDULE = "ringpost:ledger:schedule"


async def synchronise(ledger: Ledger) -> None:
    """All that is due to be synchronised has been."""
    seconds, _ = await ledger.connection.redis.time()
    later = {str(mailbox): seconds + 900 for mailbox in await ledger.mailboxes.watched()}
    await ledger.connection.redis.zadd(_SCHEDULE, later)


async def to_synchronise(ledger: Ledger) -> list[str]:
    """The mailboxes that are due to be synchronised soon."""
    schedule = await ledger.connection.redis.zrange(_SCHEDULE, 0, -1, withscores=True)
    seconds, _ = await ledger.connection.redis.time()
    return sorted(name for name, at in schedule if at < seconds + 10)


async def dark(ledger: Ledger) -> dict[str, str]:
    """The mailboxes of which nothing is heard, and why."""
    covers = await ledger.account("").coverage.read()
    return {name: cover.darkness.why for name, cover in covers.items() if cover.darkness}


def names(mailboxes: Sequence[Mailbox]) -> list[str]:
    return sorted(map(str, mailboxes))
