"""Whether the signed-in user may read, and mark, each mailbox: asked of RingCentral, and kept.

Each question is a call of the light group, so a company of a thousand takes a while: what is not
known yet is taken for allowed, and asked in bulk, the unknown first.
"""

import time
from collections.abc import Collection, Sequence

import structlog

from message_store.client import MessageStore
from message_store.errors import RateLimited
from message_store.mailbox import Mailbox

from .ledger.assignments import PermissionLedger

log = structlog.get_logger()

READ, EDIT = "ReadMessages", "EditMessages"
_AGAIN_DENIED, _AGAIN_GRANTED = 300.0, 86400.0
_AT_A_TIME = 100


class Permissions:
    """What one credential may do. `needed` are names such as `ReadMessages`."""

    def __init__(
        self, store: MessageStore, ledger: PermissionLedger, needed: Sequence[str]
    ) -> None:
        self._store = store.in_bulk()
        self._ledger = ledger
        self._needed = needed

    async def missing(self, mailboxes: Collection[Mailbox]) -> dict[Mailbox, Sequence[str]]:
        """The mailboxes for which something is missing, with what; asks for as much as it may.

        Raises RingCentralError; what was found out before is kept.
        """
        known = await self._ledger.load()
        await self._ledger.keep_only(mailboxes)
        try:
            for mailbox in _to_ask(mailboxes, known):
                lacks = await self._lacks(mailbox)
                known[mailbox] = (lacks, time.time())
                await self._ledger.save(mailbox, lacks)
        except RateLimited:
            pass  # the rest is asked at the next check
        return {m: known[m][0] for m in mailboxes if m in known and known[m][0]}

    async def _lacks(self, mailbox: Mailbox) -> list[str]:
        extension = mailbox.extension_id
        return [name for name in self._needed if not await self._store.may(name, extension)]


def in_words(missing: Sequence[str], title: str) -> str:
    """What is missing for whom, and who can mend it."""
    return (
        f"the signed-in user lacks {', '.join(missing)} for extension {title}; an administrator "
        "gives the user a role with it that covers this extension at "
        "https://service.ringcentral.com (Users, Roles)"
    )


def _to_ask(
    mailboxes: Collection[Mailbox], known: dict[Mailbox, tuple[Sequence[str], float]]
) -> list[Mailbox]:
    """Those that are unknown, then those whose answer is old; not too many at a time."""

    def due(mailbox: Mailbox) -> float:
        if mailbox not in known:
            return 0.0
        missing, at = known[mailbox]
        return at + (_AGAIN_DENIED if missing else _AGAIN_GRANTED)

    now = time.time()
    waiting = sorted((due(mailbox), mailbox) for mailbox in mailboxes if due(mailbox) <= now)
    return [mailbox for _, mailbox in waiting[:_AT_A_TIME]]
