"""What becomes of messages beside being read: sent, shared, transcribed, removed."""

from typing import Any

import pytest

from sandbox import RingCentral

ACCOUNT = "/restapi/v1.0/account/~"
STORE = f"{ACCOUNT}/extension/~/message-store"


async def _ids(ask: Any, path: str, **query: str) -> list[int]:
    answer = await ask("GET", path, params=query)
    assert answer.status == 200, answer
    return [record["id"] for record in answer.body["records"]]


@pytest.mark.parametrize("last", ["Delivered", "DeliveryFailed", "SendingFailed"])
async def test_an_outbound_message(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any, last: str
) -> None:
    """Its status changes step by step, and subscribers hear of each step."""
    ringcentral.settings.change({"aggregation": 0})
    await subscribe()
    statuses = ("Queued", "Sent", last)
    sent = await ringcentral.sends_sms("Hello", to="+16505550133", statuses=statuses, every=5)
    assert (sent["direction"], sent["messageStatus"]) == ("Outbound", "Queued")
    await ringcentral.passes(5.1)
    assert ringcentral.message(sent["id"])["messageStatus"] == "Sent"
    await ringcentral.passes(5)
    done = ringcentral.message(sent["id"])
    assert done["messageStatus"] == last
    assert ("deliveryErrorCode" in done) == last.endswith("Failed")
    await eventually(lambda: receiver.notifications)
    fax = await ringcentral.sends("fax", statuses=["Queued", "SendingFailed"], every=0)
    await eventually(
        lambda: ringcentral.message(fax["id"])["to"][0]["messageStatus"] == "SendingFailed"
    )


async def test_a_shared_voicemail(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """A queue's voicemail lies in its members' mailboxes, and is seen by those who ask for it."""
    await subscribe(f"{ACCOUNT}/extension/~/voicemail")
    queue = await ringcentral.joins("Sales", type_name="Department")
    own = (await ringcentral.receives_voicemail())["id"]
    shared = await ringcentral.receives_voicemail(owner=str(queue["id"]))
    assert shared["owner"] == {
        "extensionId": str(queue["id"]),
        "extensionType": "Department",
        "name": "Sales",
    }
    for path in ("/message-store", "/message-sync"):
        assert await _ids(ask, path) == [own]
        assert await _ids(ask, path, owner="Personal") == [own]
        assert await _ids(ask, path, owner="Shared") == [shared["id"]]
        assert await _ids(ask, path, owner=str(queue["id"])) == [shared["id"]]
        assert await _ids(ask, path, owner="Any") == [shared["id"], own]
        every = {"owner": "Any", "ownerExtensionType": "Department"}
        assert await _ids(ask, path, **every) == [shared["id"]]
    assert (await ask("GET", "/message-store?owner=nobody")).code == "CMN-101"
    full = (await ask("GET", "/message-sync?owner=Any")).body["syncInfo"]["syncToken"]
    token = {"syncType": "ISync", "syncToken": full}
    assert {shared["id"], own} == {*await _ids(ask, "/message-sync", **token)}
    told = await eventually(lambda: len(receiver.notifications) == 2 and receiver.notifications)
    owners = [n["body"]["owner"]["extensionId"] for n in told]
    assert {*owners} == {str(queue["id"]), ringcentral.extension_id}
    await ask("DELETE", "/message-store")
    assert ringcentral.message(shared["id"])["availability"] == "Deleted"


async def test_a_transcription_comes_later(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """First it is in progress; when it is there, a voicemail filter may hear of it again."""
    await subscribe(f"{ACCOUNT}/extension/~/voicemail")
    voicemail = await ringcentral.receives_voicemail(transcribing=True)
    assert voicemail["vmTranscriptionStatus"] == "InProgress"
    await ringcentral.transcribes(voicemail["id"], "Hello")
    ringcentral.settings.change({"transcription_event": True})
    await ringcentral.transcribes(voicemail["id"], "Hello again")
    told = await eventually(lambda: len(receiver.notifications) == 2 and receiver.notifications)
    parts = sorted(len(n["body"]["attachments"]) for n in told)
    assert parts == [1, 3]


async def test_a_full_inbox(ask: Any, ringcentral: RingCentral) -> None:
    """The oldest received fax or voicemail goes when there are too many; texts do not count."""
    ringcentral.settings.change({"inbox_cap": 2})
    oldest = await ringcentral.receives_fax()
    await ringcentral.receives_sms()
    await ringcentral.receives_fax(direction="Outbound")
    await ringcentral.receives_voicemail()
    assert ringcentral.message(oldest["id"])["availability"] == "Alive"
    await ringcentral.receives_fax()
    assert ringcentral.message(oldest["id"])["availability"] == "Purged"
    assert len(await _ids(ask, "/message-store")) == 4


async def test_deleted_messages_go(ask: Any, ringcentral: RingCentral) -> None:
    """Deleted for five days is purged, purged for five days is gone; a restored one stays."""
    gone, kept = [(await ringcentral.receives_sms())["id"] for _ in range(2)]
    for message_id in (gone, kept):
        await ask("DELETE", f"/message-store/{message_id}")
    await ask("PATCH", f"/message-store/{kept}", json={"availability": "Alive"})
    await ringcentral.passes(5 * 86_400 + 1)
    ask.token = (await ask.sign_in()).body["access_token"]
    assert (await ask("GET", f"/message-store/{gone}")).body["availability"] == "Purged"
    await ringcentral.passes(5 * 86_400 + 1)
    ask.token = (await ask.sign_in()).body["access_token"]
    assert (await ask("GET", f"/message-store/{gone}")).code == "CMN-102"
    assert (await ask("GET", f"/message-store/{kept}")).body["availability"] == "Alive"


async def test_lost_content(ask: Any, ringcentral: RingCentral) -> None:
    """A content can be lost for good."""
    fax = await ringcentral.receives_fax()
    await ringcentral.loses_content(fax["id"])
    answer = await ask("GET", fax["attachments"][0]["uri"])
    assert (answer.status, answer.code) == (500, "MSG-352")


async def test_record_count_is_not_exact(ask: Any, ringcentral: RingCentral) -> None:
    """A full sync may give more than was asked for."""
    now = ringcentral.server.emulator.clock.time()
    for age in range(6):
        await ringcentral.receives_sms(created=now - age)
    assert len(await _ids(ask, "/message-sync", recordCount="2")) == 2
    ringcentral.settings.change({"sync_surplus": 3})
    assert len(await _ids(ask, "/message-sync", recordCount="2")) == 5


async def test_retention(ask: Any, ringcentral: RingCentral) -> None:
    """An admin's app may set how long faxes are kept, unless the account is under HIPAA."""
    path = f"{ACCOUNT}/message-store-configuration"
    assert (await ask("GET", path)).code == "CMN-401"
    ringcentral.settings.change({"scopes": "EditAccounts"})
    assert (await ask("GET", path)).body == {"retentionPeriod": 90}
    assert (await ask("PUT", path, json={"retentionPeriod": 30})).body == {"retentionPeriod": 30}
    assert (await ask("GET", path)).body == {"retentionPeriod": 30}
    assert (await ask("PUT", path, json={"retentionPeriod": 91})).code == "CMN-101"
    ringcentral.settings.change({"retention_fixed": True})
    fixed = await ask("PUT", path, json={"retentionPeriod": 30})
    assert (fixed.status, fixed.code) == (403, "ACT-340")


async def test_announced_too_early(ask: Any, ringcentral: RingCentral) -> None:
    """A message may be listed before it can be read."""
    ringcentral.settings.change({"readable_after": 2, "page_counts": False})
    fax = await ringcentral.receives_fax()
    listed = (await ask("GET", "/message-store")).body
    assert [record["id"] for record in listed["records"]] == [fax["id"]]
    assert {*listed["paging"]} == {"page", "perPage", "pageStart", "pageEnd"}
    for address in (f"/message-store/{fax['id']}", fax["attachments"][0]["uri"]):
        assert (await ask("GET", address)).code == "CMN-102"
    await ringcentral.passes(2)
    assert (await ask("GET", fax["attachments"][0]["uri"])).status == 200
