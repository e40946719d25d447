"""What can happen to a subscription behind its owner's back, and how it comes back."""

from typing import Any

import pytest
from aiohttp import web

from sandbox import RingCentral

SUBSCRIPTION = "/restapi/v1.0/subscription"
ACCOUNT = "/restapi/v1.0/account/~"
STORE = f"{ACCOUNT}/extension/~/message-store"


async def _broken(request: web.Request) -> web.StreamResponse:
    return web.Response(status=500)


@pytest.mark.parametrize("word", ["Blacklisted", "Suspended", "Blocked"])
async def test_blacklisting(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, word: str
) -> None:
    """A blacklisted subscription stays listed under one of its names and is told nothing."""
    ringcentral.settings.change({"blacklisted_status": word})
    one = f"{SUBSCRIPTION}/{(await subscribe()).body['id']}"
    await ringcentral.blacklists()
    shown = (await ask("GET", one)).body
    assert (shown["status"], shown["expiresIn"] > 600_000) == (word, True)
    assert "Read timed out" in shown["blacklistedData"]["reason"]
    await ringcentral.receives_sms()
    await ringcentral.passes(10)
    assert not ringcentral.notifications


async def test_recovery(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Where it is chosen, a blacklisted address is tried again until it is well."""
    ringcentral.settings.change({"blacklist_after": 0, "recover_after": 900})
    one = f"{SUBSCRIPTION}/{(await subscribe()).body['id']}"
    receiver.answer = _broken
    await ringcentral.receives_sms()
    (subscription,) = ringcentral.subscriptions
    await eventually(lambda: not subscription.active)
    tried: list[web.Request] = []

    async def look(request: web.Request) -> web.StreamResponse:
        tried.append(request)
        return await _broken(request)

    receiver.answer = look
    await ringcentral.passes(901)
    await eventually(lambda: tried)
    assert (await ask("GET", one)).body["status"] == "Blacklisted"
    receiver.answer = receiver.willing

    async def look_again() -> bool:
        await ringcentral.passes(901)
        return subscription.active

    await eventually(look_again)
    assert "blacklistedData" not in (await ask("GET", one)).body


async def test_tries(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """A notification may be tried several times before it is given up."""
    ringcentral.settings.change({"notification_tries": 3, "notification_pause": 0.01})
    await subscribe()
    seen: list[web.Request] = []

    async def twice_broken(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(status=500 if len(seen) < 3 else 200)

    receiver.answer = twice_broken
    await ringcentral.receives_sms()
    (sent,) = await eventually(lambda: ringcentral.notifications)
    await eventually(lambda: sent.outcome == "delivered")
    assert len(seen) == 3


async def test_ends(subscribe: Any, ask: Any, ringcentral: RingCentral) -> None:
    """It can expire early, or be deleted by somebody else; both answer 404 afterwards."""
    first, second = [(await subscribe()).body["id"] for _ in range(2)]
    await ringcentral.expires_subscription(first)
    assert (await ask("POST", f"{SUBSCRIPTION}/{first}/renew")).status == 404
    assert (await ask("GET", f"{SUBSCRIPTION}/{second}")).status == 200
    await ringcentral.deletes_subscription(second)
    assert (await ask("GET", f"{SUBSCRIPTION}/{second}")).code == "SUB-507"
    with pytest.raises(LookupError):
        await ringcentral.deletes_subscription(second)


async def test_a_disabled_filter(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral
) -> None:
    """A filter can become disabled while the subscription stays active; a PUT brings it back."""
    made = (await subscribe(STORE, f"{ACCOUNT}/extension")).body
    await ringcentral.disables_filter("message-store")
    one = f"{SUBSCRIPTION}/{made['id']}"
    shown = (await ask("GET", one)).body
    assert shown["status"] == "Active"
    assert shown["disabledFilters"][0]["filter"] == made["eventFilters"][0]
    assert "[ReadMessages]" in shown["disabledFilters"][0]["message"]
    await ringcentral.receives_sms()
    assert not ringcentral.server.emulator.subscriptions.listening(ringcentral.extension_id)
    again = (await ask("PUT", one, json={"eventFilters": [STORE, f"{ACCOUNT}/extension"]})).body
    assert "disabledFilters" not in again
    assert again["eventFilters"] == made["eventFilters"]


async def test_permission_for_one_mailbox(
    subscribe: Any, ask: Any, ringcentral: RingCentral
) -> None:
    """A mailbox the user may not see is refused, or disabled, in its own words everywhere."""
    _, second, third = ringcentral.extension_ids
    ringcentral.denies("ReadMessages", extension=second)
    filters = [f"{ACCOUNT}/extension/{e}/message-store" for e in (second, third)]
    refused = await subscribe(*filters)
    assert (refused.status, refused.code) == (403, "SUB-405")
    ringcentral.settings.change({"forbidden_filter": "disable"})
    made = (await subscribe(*filters)).body
    assert [f.split("/")[6] for f in made["eventFilters"]] == [third]
    assert [d["reason"] for d in made["disabledFilters"]] == ["SUB-412"]
    check = f"{ACCOUNT}/extension/~/authz-profile/check?permissionId=ReadMessages"
    for extension, allowed in ((second, False), (third, True)):
        answer = await ask("GET", f"{check}&targetExtensionId={extension}")
        assert answer.body["successful"] is allowed
    for code in ("CMN-419", "CMN-408", "CMN-404"):
        ringcentral.settings.change({"other_mailbox_code": code})
        answer = await ask("GET", f"{ACCOUNT}/extension/{second}/message-sync")
        assert (answer.status, answer.code) == (403, code)
    assert (await ask("GET", f"{ACCOUNT}/extension/{third}/message-sync")).status == 200
    ringcentral.grants("ReadMessages")
    one = f"{SUBSCRIPTION}/{made['id']}"
    again = (await ask("PUT", one, json={"eventFilters": filters})).body
    assert len(again["eventFilters"]) == 2
    assert "disabledFilters" not in again


@pytest.mark.parametrize("form", ["expiresIn", "subscription", "empty"])
async def test_reminders(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any, form: str
) -> None:
    """Reminders come at the threshold, repeat, and begin anew after a renewal."""
    ringcentral.settings.change({"reminder_body": form})
    reminder = f"{SUBSCRIPTION}/~?threshold=100&interval=40"
    made = (await subscribe(STORE, reminder, expiresIn=1000)).body
    await ringcentral.passes(890)
    assert not ringcentral.notifications
    await ringcentral.passes(15)
    await eventually(lambda: len(receiver.notifications) == 1)
    told = receiver.notifications[0]
    assert (told["event"], told["subscriptionId"]) == (reminder, made["id"])
    if form == "empty":
        assert told["body"] == {}
    else:
        assert 90 <= told["body"]["expiresIn"] <= 100
    await ringcentral.passes(40)
    await eventually(lambda: len(receiver.notifications) == 2)
    await ask("POST", f"{SUBSCRIPTION}/{made['id']}/renew")
    await ringcentral.passes(300)
    assert len(ringcentral.notifications) == 2
    await ringcentral.passes(605)
    assert len(ringcentral.notifications) == 3


async def test_lifetimes(subscribe: Any, ask: Any, ringcentral: RingCentral) -> None:
    """What is left out gets the default, and what is too long is silently cut."""
    choices = {"subscription_lifetime": 50, "max_subscription_lifetime": 90}
    ringcentral.settings.change(choices)
    assert (await subscribe()).body["expiresIn"] in (49, 50)
    assert (await subscribe(expiresIn=630_720_000)).body["expiresIn"] in (89, 90)


async def test_notifications_astray(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Notifications come twice, late, and in another order."""
    await subscribe(f"{STORE}/instant?type=SMS")
    ringcentral.doubles_notifications()
    await ringcentral.receives_sms("twice")
    await eventually(lambda: len(receiver.notifications) == 2)
    assert len({told["uuid"] for told in receiver.notifications}) == 1
    ringcentral.reorders_notifications(2)
    for text in ("one", "two", "three"):
        await ringcentral.receives_sms(text)
    await eventually(lambda: len(receiver.notifications) == 5)
    assert {told["body"]["subject"] for told in receiver.notifications[2:]} == {
        "one",
        "two",
        "three",
    }
    assert [n.notification["body"]["subject"] for n in ringcentral.notifications][1] == "one"
    assert receiver.notifications[2]["body"]["subject"] == "three"
    ringcentral.delays_notifications(0.2)
    await ringcentral.receives_sms("late")
    assert await eventually(lambda: len(receiver.notifications) == 6)
