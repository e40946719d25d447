"""Whether the signed-in user may read, and mark, each mailbox: asked of RingCentral, and kept.

Each question is a call of the light group, so a company of a thousand takes a while: what is not
known yet is taken for allowed, and asked in bulk, the unknown first.
"""

import time
from collections.abc import Mapping, Sequence

from message_store.client import MessageStore
from message_store.errors import RateLimited
from message_store.mailbox import Mailbox

from .ledger.assignments import Lack, PermissionLedger

READ, EDIT, SEND = "ReadMessages", "EditMessages", "OutboundSMS"
_AGAIN_DENIED, _AGAIN_GRANTED = 240.0, 86400.0
_AT_A_TIME = 100


class Permissions:
    """What one credential may do. `needed` are names such as `ReadMessages`."""

    def __init__(
        self, store: MessageStore, ledger: PermissionLedger, needed: Sequence[str]
    ) -> None:
        self._store = store.in_bulk()
        self._ledger = ledger
        self._needed = needed

    async def lacking(self, titles: Mapping[Mailbox, str]) -> dict[Mailbox, Lack]:
        """The mailboxes (with their titles) for which something is missing.

        Asks for as much as it may now. Raises RingCentralError; what was found out is kept.
        """
        known = await self._ledger.load()
        await self._ledger.keep_only(titles)
        try:
            for mailbox in _to_ask(titles, known):
                missing = await self._missing(mailbox)
                known[mailbox] = await self._ledger.save(mailbox, missing, titles[mailbox])
        except RateLimited:
            pass  # the rest is asked at the next check
        return {m: lack for m, lack in known.items() if lack.missing and m in titles}

    async def _missing(self, mailbox: Mailbox) -> list[str]:
        extension = mailbox.extension_id
        return [name for name in self._needed if not await self._store.may(name, extension)]


def in_words(missing: Sequence[str], title: str) -> str:
    """What is missing for whom, and who can mend it."""
    return (
        f"the signed-in user lacks {', '.join(missing)} for extension {title}; an administrator "
        "gives the user a role with it that covers this extension at "
        "https://service.ringcentral.com (Users, Roles)"
    )


def _to_ask(titles: Mapping[Mailbox, str], known: Mapping[Mailbox, Lack]) -> list[Mailbox]:
    """Those that are unknown, then those whose answer is old; not too many at a time."""

    def due(mailbox: Mailbox) -> float:
        lack = known.get(mailbox)
        if lack is None:
            return 0.0
        return lack.at + (_AGAIN_DENIED if lack.missing else _AGAIN_GRANTED)

    now = time.time()
    waiting = sorted((due(mailbox), mailbox) for mailbox in titles if due(mailbox) <= now)
    return [mailbox for _, mailbox in waiting[:_AT_A_TIME]]
