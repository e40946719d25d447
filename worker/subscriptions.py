"""Keeps our webhook subscription alive; while there is none, mailboxes are polled.

The verification token is never returned by RingCentral, so a subscription is relied on only if
the ledger knows that it was made with our address and token; else a new one is made and the old
one deleted. Source: https://developers.ringcentral.com/guide/notifications/webhooks/
"""

import time
from collections.abc import Sequence

import structlog

from message_store.client import MessageStore
from message_store.errors import NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.subscription import Subscription

from .ledger.subscription import SubscriptionLedger, SubscriptionRecord, digest
from .wording import in_brief

log = structlog.get_logger()

# RingCentral's own default; renewed when half of it is over.
LIFETIME = 7 * 24 * 3600


class Subscriptions:
    """Compares the subscription that should be with the one that is, and mends the difference.

    `address` is the public webhook address; None means that there is none, only polling.
    """

    def __init__(
        self,
        store: MessageStore,
        ledger: SubscriptionLedger,
        address: str | None,
        token: str | None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._address = address
        self._token = token

    async def heal(self, mailboxes: Sequence[Mailbox]) -> bool:
        """Make it right; True if notifications may have been lost and a sync is needed.

        Raises RingCentralError when it cannot be made right now; mailboxes are polled meanwhile.
        """
        record = await self._ledger.load()
        if self._address is None or self._token is None:
            return await self._without_address(record)
        filters = [_filter(mailbox) for mailbox in mailboxes]
        wanted = record and record.made_with(self._address, self._token, filters)
        try:
            if record and wanted and (actual := await self._working(record)):
                await self._ledger.save(_checked(record, actual))
                return False
            await self._replace(record, filters, self._address, self._token)
        except RingCentralError as error:
            if record is not None:
                record.error = in_brief(error)
                await self._ledger.save(record)
            raise
        return True

    async def _without_address(self, record: SubscriptionRecord | None) -> bool:
        """There was an address once: nobody answers there any more, so the subscription goes."""
        if record is None:
            return False
        await self._store.delete_subscription(record.id)
        await self._ledger.forget()
        log.info("subscription deleted, there is no address any more", id=record.id)
        return True

    async def _working(self, record: SubscriptionRecord) -> Subscription | None:
        try:
            actual = await self._store.subscription(record.id)
            if not actual.is_active:
                log.warning("subscription is broken", id=record.id, status=actual.status)
                return None
            if (actual.expires_in or 0) < LIFETIME / 2:
                actual = await self._store.renew_subscription(record.id)
        except NotFound:
            log.warning("subscription is gone", id=record.id)
            return None
        return actual

    async def _replace(
        self, record: SubscriptionRecord | None, filters: list[str], address: str, token: str
    ) -> None:
        made = await self._store.create_subscription(filters, address, token, LIFETIME)
        new = SubscriptionRecord(
            id=made.id, address=address, token_digest=digest(token), filters=filters
        )
        await self._ledger.save(_checked(new, made))
        log.info("subscription made", id=made.id, filters=len(filters))
        await self._delete_others(made.id, address, record)

    async def _delete_others(
        self, kept: str, address: str, record: SubscriptionRecord | None
    ) -> None:
        """Delete the one replaced, and any that an interrupted run made with our address."""
        others = {record.id} if record is not None else set()
        try:
            others |= {
                listed.id
                for listed in await self._store.subscriptions()
                if listed.delivery_mode.address == address
            }
            for other in others - {kept}:
                await self._store.delete_subscription(other)
        except RingCentralError as error:
            # The new one works; what is left over expires by itself.
            log.warning("old subscriptions are left over", reason=str(error))


def _filter(mailbox: Mailbox) -> str:
    account, extension = mailbox
    return f"/restapi/v1.0/account/{account}/extension/{extension}/message-store"


def _checked(record: SubscriptionRecord, actual: Subscription) -> SubscriptionRecord:
    now = time.time()
    disabled = len(actual.disabled_filters)
    error = f"{disabled} filters are disabled by RingCentral" if disabled else None
    if error is not None and error != record.error:
        log.warning("subscription is incomplete", id=record.id, reason=error)
    return record.model_copy(
        update={"active_until": now + (actual.expires_in or 0), "checked": now, "error": error}
    )
