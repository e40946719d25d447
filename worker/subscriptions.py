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
        if self._address is None or self._token is None:
            return False
        record = await self._ledger.load()
        filters = [_filter(mailbox) for mailbox in mailboxes]
        try:
            wanted = record and record.made_with(self._address, self._token, filters)
            if record and wanted and (actual := await self._working(record)):
                await self._ledger.save(_checked(record, actual))
                return record.error is not None
            await self._replace(record, filters)
        except RingCentralError as error:
            if record is not None:
                record.error = str(error)
                await self._ledger.save(record)
            raise
        return True

    async def _working(self, record: SubscriptionRecord) -> Subscription | None:
        try:
            actual = await self._store.subscription(record.id)
            if actual.status != "Active" or actual.disabled_filters:
                log.warning("subscription is broken", id=record.id, status=actual.status)
                return None
            if (actual.expires_in or 0) < LIFETIME / 2:
                actual = await self._store.renew_subscription(record.id)
        except NotFound:
            log.warning("subscription is gone", id=record.id)
            return None
        return actual

    async def _replace(self, record: SubscriptionRecord | None, filters: list[str]) -> None:
        assert self._address is not None and self._token is not None  # noqa: S101, PT018  # see heal
        made = await self._store.create_subscription(filters, self._address, self._token, LIFETIME)
        new = SubscriptionRecord(
            id=made.id,
            address=self._address,
            token_digest=digest(self._token),
            filters=filters,
        )
        if made.disabled_filters:
            new.error = f"{len(made.disabled_filters)} filters are disabled by RingCentral"
        await self._ledger.save(_checked(new, made))
        log.info("subscription made", id=made.id, filters=len(filters))
        if new.error is not None:
            log.warning("subscription is incomplete", id=made.id, reason=new.error)
        if record is not None and record.id != made.id:
            try:
                await self._store.delete_subscription(record.id)
            except NotFound:
                log.debug("old subscription was gone already", id=record.id)


def _filter(mailbox: Mailbox) -> str:
    account, extension = mailbox
    return f"/restapi/v1.0/account/{account}/extension/{extension}/message-store"


def _checked(record: SubscriptionRecord, actual: Subscription) -> SubscriptionRecord:
    now = time.time()
    error = record.error if actual.disabled_filters else None
    return record.model_copy(
        update={"active_until": now + (actual.expires_in or 0), "checked": now, "error": error}
    )
