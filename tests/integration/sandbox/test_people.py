"""Joiners, leavers, several users of one company and several companies."""

from typing import Any

import aiohttp
import pytest

from sandbox import Credentials, RingCentral

ACCOUNT = "/restapi/v1.0/account"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def _sign_in(ask: Any, who: Credentials) -> str:
    known = {"client_id": who.client_id, "client_secret": who.client_secret}
    answer = await ask.sign_in(**known, assertion=who.jwt, grant_type=GRANT)
    assert answer.status == 200
    assert answer.body["owner_id"] == who.extension_id
    return str(answer.body["access_token"])


async def test_joining_and_leaving(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Subscribers of the extension list hear who comes, changes and goes."""
    await subscribe(f"{ACCOUNT}/~/extension", f"{ACCOUNT}/~/extension/{ringcentral.extension_id}")
    joined = await ringcentral.joins("Barbara Liskov", type_name="Department")
    new = str(joined["id"])
    await ringcentral.receives_sms(extension=new)
    await ringcentral.turns(new, "Disabled")
    listed = (await ask("GET", f"{ACCOUNT}/~/extension?type=Department&status=Disabled")).body
    assert [record["name"] for record in listed["records"]] == ["Barbara Liskov"]
    await ringcentral.leaves(new)
    assert (await ask("GET", f"{ACCOUNT}/~/extension/{new}/message-store")).status == 404
    await ringcentral.turns("~", "Enabled")
    await eventually(lambda: len(receiver.notifications) == 5)
    by_form = {"extensions" in told["body"]: told for told in receiver.notifications}
    heard = [e for t in receiver.notifications for e in t["body"].get("extensions", [])]
    assert [e["eventType"] for e in heard if e["extensionId"] == new] == [
        "Create",
        "Update",
        "Delete",
    ]
    assert by_form[True]["event"] == f"{ACCOUNT}/{ringcentral.account_id}/extension"
    assert by_form[False]["body"]["extensionId"] == ringcentral.extension_id
    assert (await ringcentral.joins())["id"] != joined["id"]


async def test_a_second_user(ask: Any, ringcentral: RingCentral) -> None:
    """Users of one app share its logins only; what they may see is each one's own."""
    second = ringcentral.adds_user(ringcentral.extension_ids[1])
    assert second.environment()["RC_JWT"] == second.jwt != ringcentral.jwt
    assert second.client_id == ringcentral.client_id
    first_token, ask.token = ask.token, await _sign_in(ask, second)
    assert (await ask("GET", "/message-store")).body["uri"].count(second.extension_id) == 1
    others = f"{ACCOUNT}/~/extension/{ringcentral.extension_id}/message-store"
    assert (await ask("GET", others)).code == "CMN-419"
    ringcentral.limits_to(light=1)
    assert (await ask("GET", "/message-store")).status == 200
    assert (await ask("GET", "/message-store")).status == 429
    ask.token = first_token
    assert (await ask("GET", "/message-store")).status == 200
    ringcentral.limits_to(light=50)
    ringcentral.denies("ReadMessages", user=second.extension_id)
    assert (await ask("GET", "/message-store")).status == 200
    ask.token = await _sign_in(ask, second)
    assert (await ask("GET", "/message-store")).code == "CMN-408"


async def test_a_second_app(ask: Any, ringcentral: RingCentral) -> None:
    """A credential of another app is refused; apps have limits and subscriptions of their own."""
    other = ringcentral.adds_user(admin=True, same_app=False)
    assert other.extension_id not in (ringcentral.extension_id, None)
    refused = await ask.sign_in(assertion=other.jwt)
    assert (refused.status, refused.code) == (401, "OAU-120")
    ringcentral.limits_to(auth=1)
    await _sign_in(ask, other)
    assert (await ask.sign_in()).status == 200
    ask.token = await _sign_in_again(ask, other, ringcentral)
    assert (await ask("GET", "/restapi/v1.0/subscription")).body["records"] == []


async def _sign_in_again(ask: Any, who: Credentials, ringcentral: RingCentral) -> str:
    await ringcentral.passes(61)
    return await _sign_in(ask, who)


async def test_a_second_company(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Another company has its own ids, mailboxes and events, and sees nothing of the first."""
    other = ringcentral.adds_account(extensions=2)
    assert other.account_id != ringcentral.account_id
    assert len(other.extension_ids) == 2
    assert not {*other.extension_ids} & {*ringcentral.extension_ids}
    fax = await ringcentral.receives_fax(extension=other.extension_ids[1])
    assert other.account_id in fax["uri"]
    ask.token = await _sign_in(ask, other)
    assert (await ask("GET", f"{ACCOUNT}/~")).body["id"] == int(other.account_id)
    listed = (await ask("GET", f"{ACCOUNT}/~/extension")).body["records"]
    assert [str(record["id"]) for record in listed] == other.extension_ids
    store = f"{ACCOUNT}/~/extension/{other.extension_ids[1]}/message-store"
    assert [r["id"] for r in (await ask("GET", store)).body["records"]] == [fax["id"]]
    content = await ask("GET", fax["attachments"][0]["uri"])
    assert content.status == 200
    foreign = f"{ACCOUNT}/~/extension/{ringcentral.extension_id}/message-store"
    assert (await ask("GET", foreign)).code == "CMN-102"
    assert (await ask("GET", f"{ACCOUNT}/{ringcentral.account_id}")).status == 404
    assert (await subscribe(foreign)).code == "SUB-406"
    await subscribe(store, f"{ACCOUNT}/~/extension")
    await ringcentral.joins()
    await ringcentral.receives_sms(extension=other.extension_ids[1])
    (told,) = await eventually(lambda: receiver.notifications)
    assert told["body"]["accountId"] == int(other.account_id)
    assert told["ownerId"] == other.extension_id


async def test_other_processes_can_add_them(ask: Any, ringcentral: RingCentral) -> None:
    """The control API answers the new credentials."""
    url = f"{ringcentral.api_url}/sandbox/do"
    known = (await ask("POST", f"{url}/adds-account", json={"extensions": 1})).body
    await _sign_in(ask, Credentials(**known))


async def test_a_disabled_user(subscribe: Any, ask: Any, ringcentral: RingCentral) -> None:
    """Who is disabled may neither sign in nor subscribe."""
    await ringcentral.turns("~", "Disabled")
    assert (await subscribe()).code == "SUB-408"
    refused = await ask.sign_in()
    assert (refused.status, refused.code) == (401, "OAU-141")


async def test_who_is_unknown(ringcentral: RingCentral) -> None:
    """An extension that is not there is named, with those that are."""
    with pytest.raises(LookupError, match="no such extension: '999'; there are 101, 102, 103"):
        ringcentral.adds_user("999")
    with pytest.raises((ValueError, aiohttp.ClientError), match="do you mean 'window'"):
        RingCentral(windw=3)
