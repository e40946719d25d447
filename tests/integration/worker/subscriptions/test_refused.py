"""What RingCentral refuses costs nobody else the subscription."""

import dataclasses
import json

import pytest

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support import breaking
from tests.support.cover import dark, names
from tests.support.making import OTHER_TOKEN, TOKEN, Make
from worker.ledger import Ledger
from worker.subscriptions import Subscriptions


@pytest.mark.parametrize("code", ["CMN-401", "SUB-508"])
async def test_the_list_of_extensions_is_refused(
    ringcentral: RingCentral,
    subscriptions: Subscriptions,
    mailboxes: list[Mailbox],
    ledger: Ledger,
    code: str,
) -> None:
    """Without ReadAccounts the others are subscribed to, and it is not asked for each time."""
    ringcentral.fails("/subscription", status=403, code=code, method="POST")
    await subscriptions.heal(mailboxes)
    assert await dark(ledger) == {}
    [one] = ringcentral.subscriptions
    assert not any(f.text.endswith("/extension") for f in one.filters)
    calls = ringcentral.count("updateSubscription") + ringcentral.count("createSubscription")

    assert await subscriptions.heal(mailboxes) == []

    assert (
        ringcentral.count("updateSubscription") + ringcentral.count("createSubscription") == calls
    )


async def test_a_webhook_that_cannot_be_reached_is_no_fault_of_a_filter(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """It is called once in a check, not once more without the list of extensions."""
    ringcentral.fails("/subscription", status=400, code="SUB-521", method="POST")
    with pytest.raises(RingCentralError, match="WEBHOOK_URL cannot be reached"):
        await subscriptions.heal(mailboxes)
    assert ringcentral.count("createSubscription") == 1


async def test_the_list_of_extensions_is_disabled(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox]
) -> None:
    """When it comes back disabled it is left out from then on: no check asks for it again."""
    await subscriptions.heal(mailboxes)
    [one] = ringcentral.subscriptions
    [text] = [f.text for f in one.filters if f.text.endswith("/extension")]
    left = [f for f in one.filters if f.text != text]
    off = {"filter": text, "reason": "SUB-412", "message": "permission is missing"}
    ringcentral.server.emulator.subscriptions.change_filters(one, left, [off])
    answer = one.to_json(ringcentral.api_url, ringcentral.server.emulator.clock.time())
    ringcentral.fails("/subscription/", status=200, body=json.dumps(answer), method="PUT")

    [done] = await subscriptions.heal(mailboxes)

    assert done.still_dark == (text,)
    assert await subscriptions.heal(mailboxes) == []
    assert ringcentral.count("updateSubscription") == 1


async def test_a_user_who_may_read_the_own_mailbox_only(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """The own mailbox is subscribed to; the others are dark and say which permission is missing."""
    users = ringcentral.server.emulator.users
    users._users = [dataclasses.replace(user, admin=False) for user in users]
    await ringcentral.revokes_tokens()

    await subscriptions.heal(mailboxes)

    found = await dark(ledger)
    assert list(found) == names(mailboxes[1:])
    assert all("SUB-405" in why for why in found.values())
    assert await subscriptions.heal(mailboxes) == []


async def test_one_bad_filter_does_not_cost_the_others(
    ringcentral: RingCentral, subscriptions: Subscriptions, mailboxes: list[Mailbox], ledger: Ledger
) -> None:
    """A mailbox that RingCentral refuses is found out, left out, and dark with the reason."""
    stranger = Mailbox(mailboxes[0].account_id, "999999999008")
    everyone = [mailboxes[0], stranger, *mailboxes[1:]]
    for _ in range(3):  # a fresh token may be to blame at first
        with pytest.raises(RingCentralError, match="SUB-406"):
            await subscriptions.heal(everyone)
        await ledger.account("").subscription.check_failed("0", 300, 0)

    await subscriptions.heal(everyone)

    found = await dark(ledger)
    assert list(found) == [str(stranger)]
    assert "SUB-406" in found[str(stranger)]
    assert len(ringcentral.subscriptions[0].filters) == len(mailboxes) + 2  # nobody else is out
    assert await subscriptions.heal(everyone) == []


async def test_all_thirty_are_in_use(
    ringcentral: RingCentral,
    make: Make,
    store: MessageStore,
    mailboxes: list[Mailbox],
    address: str,
) -> None:
    """Old ones of ours make room for the new one; without any the error says what is the matter."""
    await make().heal(mailboxes)
    wanted = [f"/restapi/v1.0/account/~/extension/{mailboxes[0].extension_id}/message-store"]
    for _ in range(29):
        await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)

    await make(token=OTHER_TOKEN).heal(mailboxes)

    ours = [one for one in ringcentral.subscriptions if one.address == address]
    assert [one.verification_token for one in ours] == [OTHER_TOKEN]
    assert len(ours[0].filters) == len(mailboxes) + 2  # nothing was taken for the culprit
    assert len(ringcentral.subscriptions) == 30
    breaking.lose(ringcentral, ours[0])
    await store.create_subscription(wanted, f"{address}-of-another", TOKEN, 600)
    with pytest.raises(RingCentralError, match="all 30 subscriptions"):
        await make(token=OTHER_TOKEN).heal(mailboxes)
