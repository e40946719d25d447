"""The subscription is made, kept, and replaced when it does not work."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from worker.ledger import Ledger
from worker.subscriptions import Subscriptions

TOKEN = "first0verification0token"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A webhook that passes the handshake."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"Validation-Token": request.headers.get("Validation-Token", "")}
        return web.Response(headers=headers, content_type="application/json")

    app = web.Application()
    app.router.add_post("/webhook", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/webhook"))


@pytest.fixture
async def mailboxes(store: MessageStore) -> list[Mailbox]:
    return [await store.signed_in()]


@pytest.fixture
def subscriptions(store: MessageStore, ledger: Ledger, address: str) -> Subscriptions:
    return Subscriptions(store, ledger.subscription, address, TOKEN)


async def test_one_is_made_and_kept(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """The first check makes a subscription, the next ones leave it alone."""
    assert await subscriptions.heal(mailboxes) is True
    made = [subscription.id for subscription in ringcentral.subscriptions]

    assert await subscriptions.heal(mailboxes) is False

    assert made == [subscription.id for subscription in ringcentral.subscriptions]
    assert len(made) == 1


async def test_one_that_is_gone_is_made_again(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    mailboxes: list[Mailbox],
) -> None:
    """When somebody deleted it, a new one is made and a sync is asked for."""
    await subscriptions.heal(mailboxes)
    await store.delete_subscription(ringcentral.subscriptions[0].id)

    assert await subscriptions.heal(mailboxes) is True
    assert len(ringcentral.subscriptions) == 1


async def test_an_old_one_is_renewed(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
) -> None:
    """When half of its life is over it is renewed, not replaced."""
    await subscriptions.heal(mailboxes)
    before = ringcentral.subscriptions[0].id
    await ringcentral.passes(5 * 24 * 3600)

    assert await subscriptions.heal(mailboxes) is False

    assert ringcentral.count("/renew") == 1
    assert ringcentral.subscriptions[0].id == before


async def test_an_expired_one_is_replaced(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """After a long stop the expired subscription is replaced and a sync is asked for."""
    await subscriptions.heal(mailboxes)
    await ringcentral.passes(8 * 24 * 3600)

    assert await subscriptions.heal(mailboxes) is True
    assert len(ringcentral.subscriptions) == 1


@pytest.mark.parametrize("change", ["token", "mailboxes"])
async def test_another_token_or_mailbox_means_another_subscription(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    ledger: Ledger,
    address: str,
    mailboxes: list[Mailbox],
    change: str,
) -> None:
    """A subscription that was made with something else is replaced by a new one."""
    await subscriptions.heal(mailboxes)
    before = ringcentral.subscriptions[0].id
    token = "second0verification0token" if change == "token" else TOKEN
    other = next(id_ for id_ in ringcentral.extension_ids if id_ != mailboxes[0].extension_id)
    if change == "mailboxes":
        mailboxes = [*mailboxes, Mailbox(mailboxes[0].account_id, other)]

    assert await Subscriptions(store, ledger.subscription, address, token).heal(mailboxes) is True

    [now] = ringcentral.subscriptions
    assert now.id != before


async def test_without_an_address_nothing_is_made(
    ringcentral: RingCentral, store: MessageStore, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """Without a public address mailboxes are polled, and that is no error."""
    assert await Subscriptions(store, ledger.subscription, None, TOKEN).heal(mailboxes) is False

    assert ringcentral.subscriptions == []
    assert (await ledger.overview()).polling


async def test_what_cannot_be_made_is_said(
    store: MessageStore, ledger: Ledger, mailboxes: list[Mailbox]
) -> None:
    """A webhook that RingCentral cannot reach is an error that names the address' variable."""
    nowhere = Subscriptions(store, ledger.subscription, "http://127.0.0.1:9/webhook", TOKEN)

    with pytest.raises(RingCentralError, match="WEBHOOK_URL"):
        await nowhere.heal(mailboxes)

    assert (await ledger.overview()).polling


async def test_one_left_over_is_deleted(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    ledger: Ledger,
    address: str,
    mailboxes: list[Mailbox],
) -> None:
    """A subscription with our address that the ledger does not know goes when a new one is made."""
    await subscriptions.heal(mailboxes)
    await ledger.subscription.forget()

    await subscriptions.heal(mailboxes)

    assert len(ringcentral.subscriptions) == 1


async def test_one_that_cannot_be_deleted_is_left(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When the old one cannot be deleted the new one stands, and no further one is made."""
    await subscriptions.heal(mailboxes)
    await ledger.subscription.forget()
    ringcentral.fails("/subscription/", status=403, code="CMN-401", times=1, method="DELETE")

    assert await subscriptions.heal(mailboxes) is True
    assert await subscriptions.heal(mailboxes) is False
    assert ringcentral.count("createSubscription", status=200) == 2


async def test_the_address_is_taken_away(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    ledger: Ledger,
    mailboxes: list[Mailbox],
) -> None:
    """Without an address any more the subscription is deleted and mailboxes are polled."""
    await subscriptions.heal(mailboxes)

    assert await Subscriptions(store, ledger.subscription, None, TOKEN).heal(mailboxes) is True

    assert ringcentral.subscriptions == []
    assert (await ledger.overview()).polling
