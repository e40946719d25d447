"""What looks after subscriptions, against a sandbox with three mailboxes."""

from collections.abc import AsyncIterator

import pytest

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.handshake import polite_webhook
from tests.support.making import TOKEN, Make
from worker.ledger import Ledger
from worker.subscriptions import Subscriptions


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A webhook that passes the handshake."""
    async with polite_webhook() as address:
        yield address


@pytest.fixture
async def mailboxes(ringcentral: RingCentral, store: MessageStore, ledger: Ledger) -> list[Mailbox]:
    """All mailboxes of the company, watched, and synchronised a moment ago."""
    account = (await store.signed_in()).account_id
    found = [Mailbox(account, id_) for id_ in ringcentral.extension_ids]
    await ledger.mailboxes.watch(found, 0)
    await ledger.account("").subscription.check_now()
    return found


@pytest.fixture
def make(store: MessageStore, ledger: Ledger, address: str) -> Make:
    """Healers of subscriptions: with another address, token, filters or sizes."""

    def subscriptions(
        address: str | None = address, token: str | None = TOKEN, **choices: object
    ) -> Subscriptions:
        kept = ledger.account("")
        return Subscriptions(store, kept, address, token, **choices)  # type: ignore[arg-type]  # as given

    return subscriptions


@pytest.fixture
def subscriptions(make: Make) -> Subscriptions:
    return make()
