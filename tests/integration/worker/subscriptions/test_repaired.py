"""Whatever has happened to subscriptions is repaired, and its gap synchronised."""

import json

import pytest

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support import breaking
from tests.support.cover import dark, names, synchronise, to_synchronise
from tests.support.making import OTHER_TOKEN, TOKEN, Make
from worker.ledger import Ledger
from worker.subscription_plan import Kind
from worker.subscriptions import Subscriptions


@pytest.mark.parametrize("how", ["lost", "blacklisted", "expired"])
async def test_one_that_does_not_work_is_replaced(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    how: str,
) -> None:
    """Gone or blacklisted: a new one is made, the old one deleted, and the gap synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [before] = ringcentral.subscriptions
    if how == "lost":
        breaking.lose(ringcentral, before)
    elif how == "blacklisted":
        breaking.blacklist(ringcentral, before)
    else:
        await ringcentral.passes(8 * 24 * 3600)

    [done] = await subscriptions.heal(mailboxes)

    assert done.action.kind is (Kind.REPLACE if how == "blacklisted" else Kind.CREATE)
    [now] = ringcentral.subscriptions
    assert now.id != before.id
    assert now.status == "Active"
    assert await to_synchronise(ledger) == names(mailboxes)
    assert await dark(ledger) == {}


async def test_a_blacklisted_one_says_since_when_it_is_dark(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """While no new one can be made, the mailboxes are dark since RingCentral gave up, with why."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    breaking.blacklist(ringcentral, one)
    one.blacklisted_at = 1_700_000_000.0
    ringcentral.fails("/subscription", status=400, code="SUB-521", method="POST", times=9)

    with pytest.raises(RingCentralError, match="WEBHOOK_URL"):
        await subscriptions.heal(mailboxes)

    overview = await ledger.overview()
    first = overview.mailboxes[0]
    assert first.dark_since is not None
    assert first.dark_since.timestamp() == 1_700_000_000.0
    assert "Blacklisted" in (first.dark_because or "")
    assert "cannot be reached" in (first.dark_because or "")
    assert overview.polling
    # they are polled from now on, not only when the next sweep comes
    assert await to_synchronise(ledger) == names(mailboxes)


async def test_a_disabled_filter_is_asked_for_again(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """Only the mailbox of the filter that was disabled is synchronised, and only its filter put."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    breaking.disable_filter(ringcentral, one, f"/extension/{mailboxes[1].extension_id}/")

    [done] = await subscriptions.heal(mailboxes)

    assert "1 filter disabled by RingCentral" in str(done)
    [same] = ringcentral.subscriptions
    assert (same.id, same.disabled) == (one.id, [])
    assert await to_synchronise(ledger) == [str(mailboxes[1])]


async def test_filters_that_are_disabled_from_the_start(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """A subscription may be active without a filter: its mailbox is dark and not synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    [one] = ringcentral.subscriptions
    gone = breaking.disable_filter(ringcentral, one, f"/extension/{mailboxes[2].extension_id}/")
    answer = one.to_json(ringcentral.api_url, ringcentral.server.emulator.clock.time())
    ringcentral.fails("/subscription/", status=200, body=json.dumps(answer), method="PUT")

    await subscriptions.heal(mailboxes)

    assert gone in json.dumps(answer["disabledFilters"])
    assert list(await dark(ledger)) == [str(mailboxes[2])]
    assert "SUB-412" in (await dark(ledger))[str(mailboxes[2])]
    assert await to_synchronise(ledger) == [str(mailboxes[2])]  # it is polled from now on
    assert (await ledger.overview()).mailboxes[0].covered_until is not None


@pytest.mark.parametrize("change", ["token", "address"])
async def test_another_token_or_address_means_another_subscription(
    ringcentral: RingCentral,
    make: Make,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    address: str,
    change: str,
) -> None:
    """It cannot be changed in a subscription: a new one is made first, then the old one deleted."""
    await make().heal(mailboxes)
    await synchronise(ledger)
    before = ringcentral.subscriptions[0].id
    changed = {"token": OTHER_TOKEN} if change == "token" else {"address": f"{address}2"}

    [done] = await make(**changed).heal(mailboxes)

    assert done.action.kind is Kind.REPLACE
    [now] = ringcentral.subscriptions
    assert now.id != before
    calls = [r.operation for r in ringcentral.requests.matching("/subscription")][-2:]
    assert calls == ["createSubscription", "deleteSubscription"]
    assert await to_synchronise(ledger) == names(mailboxes)


async def test_one_that_goes_between_looking_and_mending(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """One that is not there any more when it is renewed is made again, and the gap synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    before = ringcentral.subscriptions[0].id
    await ringcentral.passes(4 * 24 * 3600)
    ringcentral.fails("/renew", status=404, code="SUB-507")

    await subscriptions.heal(mailboxes)

    assert before not in [record.id for record in await ledger.account("").subscription.records()]
    assert await to_synchronise(ledger) == names(mailboxes)
    assert await dark(ledger) == {}


async def test_orphans_and_strangers(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    store: MessageStore,
    mailboxes: list[Mailbox],
    address: str,
) -> None:
    """One with our address that the ledger does not know is deleted; another's is left alone."""
    wanted = [f"/restapi/v1.0/account/~/extension/{mailboxes[0].extension_id}/message-store"]
    orphan = await store.create_subscription(wanted, address, TOKEN, 600)
    foreign = await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)

    await subscriptions.heal(mailboxes)

    left = {one.id for one in ringcentral.subscriptions}
    assert orphan.id not in left
    assert foreign.id in left
    assert len(left) == 2


async def test_one_that_cannot_be_deleted_is_left(
    ringcentral: RingCentral, make: Make, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When the old one cannot be deleted the new one stands and works; the next check deletes."""
    await make().heal(mailboxes)
    ringcentral.fails("/subscription/", status=403, code="CMN-401", times=1, method="DELETE")

    with pytest.raises(RingCentralError):
        await make(token=OTHER_TOKEN).heal(mailboxes)

    assert await dark(ledger) == {}
    await make(token=OTHER_TOKEN).heal(mailboxes)
    assert ringcentral.count("createSubscription", status=200) == 2
    assert len(ringcentral.subscriptions) == 1


async def test_what_cannot_be_checked_is_polled(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """When the list is refused no cover is certain; when it comes back all is synchronised."""
    await subscriptions.heal(mailboxes)
    await synchronise(ledger)
    ringcentral.denies("SubscriptionWebhook", to="app")
    ringcentral.fails("/subscription", status=403, code="CMN-401", method="GET")

    with pytest.raises(RingCentralError):
        await subscriptions.heal(mailboxes)
    assert sorted(await dark(ledger)) == names(mailboxes)
    assert await to_synchronise(ledger) == names(mailboxes)
    await synchronise(ledger)
    ringcentral.recovers()

    assert await subscriptions.heal(mailboxes) == []
    assert await dark(ledger) == {}
    assert await to_synchronise(ledger) == names(mailboxes)
