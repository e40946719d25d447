"""What subscribers are told, when, and what happens to those who do not listen."""

from typing import Any

from aiohttp import web

from sandbox import RingCentral

MAILBOX = "/restapi/v1.0/account/~/extension/~"


async def test_changes_gather(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """What happens within the aggregation window is one notification with counts and ids."""
    await subscribe(deliveryMode={"verificationToken": "secret"})
    first = await ringcentral.receives_sms("one")
    second = await ringcentral.receives_sms("two")
    await ringcentral.receives_fax()
    await ringcentral.changes(first["id"], readStatus="Read")
    (told,) = await eventually(lambda: receiver.notifications)
    assert told["event"].endswith(f"/extension/{ringcentral.extension_id}/message-store")
    assert told["ownerId"] == ringcentral.extension_id
    assert told["body"]["extensionId"] == int(ringcentral.extension_id)
    fax, sms = told["body"]["changes"]
    assert (fax["type"], fax["newCount"], fax["updatedCount"]) == ("Fax", 1, 0)
    assert (sms["newCount"], sms["updatedCount"]) == (2, 1)
    assert sms["newMessageIds"] == [first["id"], second["id"]]
    headers = receiver.headers[0]
    assert headers["Verification-Token"] == "secret"
    assert headers["User-Agent"].startswith("RingCentral-Webhook/")
    assert headers["Content-Type"] == "application/json; charset=UTF-8"


async def test_own_changes_are_told_too(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Marking read and deleting give an updatedCount without ids; marking again gives nothing."""
    message = await ringcentral.receives_sms()
    await subscribe()
    one = f"/message-store/{message['id']}"
    await ask("PUT", one, json={"readStatus": "Read"})
    await ask("PUT", one, json={"readStatus": "Read"})
    await eventually(lambda: len(receiver.notifications) == 1)
    await ask("DELETE", one)
    await eventually(lambda: len(receiver.notifications) == 2)
    for told in receiver.notifications:
        (change,) = told["body"]["changes"]
        assert change == {"type": "SMS", "newCount": 0, "updatedCount": 1}


async def test_filters_narrow(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Type, direction and mailbox of a filter decide what is told."""
    await subscribe(f"{MAILBOX}/message-store?type=Voicemail&direction=Inbound")
    await ringcentral.receives_sms()
    await ringcentral.receives_voicemail(extension="102")
    await ringcentral.receives_voicemail()
    (told,) = await eventually(lambda: receiver.notifications)
    (change,) = told["body"]["changes"]
    assert (change["type"], change["newCount"]) == ("VoiceMail", 1)


async def test_whole_messages(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Instant, voicemail and fax filters carry the message, with ids as text, once each."""
    await subscribe(
        f"{MAILBOX}/message-store/instant?type=SMS",
        f"{MAILBOX}/voicemail",
        f"{MAILBOX}/fax?direction=Inbound",
    )
    mms = await ringcentral.receives_mms("Look")
    await ringcentral.receives_sms(direction="Outbound")
    await ringcentral.receives_voicemail()
    await ringcentral.receives_fax()
    await ringcentral.changes(mms["id"], readStatus="Read")
    await eventually(lambda: len(receiver.notifications) == 3)
    by_type = {told["body"]["type"]: told for told in receiver.notifications}
    assert set(by_type) == {"SMS", "VoiceMail", "Fax"}
    told = by_type["SMS"]["body"]
    assert by_type["SMS"]["event"].endswith("message-store/instant?type=SMS")
    assert (told["id"], told["subject"]) == (str(mms["id"]), "Look")
    text, *pictures = told["attachments"]
    assert "uri" not in text
    assert all(p["uri"].startswith(ringcentral.media_url) for p in pictures)
    assert told["conversation"]["id"] == str(mms["conversationId"])


async def test_the_other_id_form(open_client: Any, receiver: Any, eventually: Any) -> None:
    """Ids in change events can be text, and the ids of new messages missing."""
    choices: dict[str, Any] = {"event_ids": "text", "new_message_ids": False, "aggregation": 0}
    async with RingCentral(**choices) as ringcentral:
        ask = await open_client(ringcentral)
        mode = {"transportType": "WebHook", "address": receiver.address}
        body = {"eventFilters": [f"{MAILBOX}/message-store"], "deliveryMode": mode}
        await ask("POST", "/restapi/v1.0/subscription", json=body)
        await ringcentral.receives_sms()
        (told,) = await eventually(lambda: receiver.notifications)
        assert told["body"]["extensionId"] == ringcentral.extension_id
        assert "newMessageIds" not in told["body"]["changes"][0]


async def test_lost_and_repeated(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """A notification can get lost, and come again word for word."""
    await subscribe()
    ringcentral.drops_notifications(1)
    await ringcentral.receives_sms()
    await eventually(lambda: ringcentral.notifications)
    assert ringcentral.notifications[0].outcome == "lost"
    await ringcentral.receives_sms()
    await eventually(lambda: receiver.notifications)
    await ringcentral.repeats_notification(3)
    await eventually(lambda: len(receiver.notifications) == 4)
    assert len({told["uuid"] for told in receiver.notifications}) == 1


async def test_a_failing_address_is_blacklisted(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """After ten minutes of failures the subscription is blacklisted and told nothing more."""
    made = (await subscribe()).body

    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    receiver.answer = broken
    await ringcentral.receives_sms()
    await eventually(lambda: ringcentral.notifications and ringcentral.notifications[-1].outcome)
    one = f"/restapi/v1.0/subscription/{made['id']}"
    assert (await ask("GET", one)).body["status"] == "Active"
    await ringcentral.passes(601)
    await ringcentral.receives_sms()
    await eventually(lambda: ringcentral.subscriptions[0].status == "Blacklisted")
    shown = (await ask("GET", one)).body
    assert shown["blacklistedData"]["reason"] == (
        "Webhook responses with code: [404], reason: [Not Found]"
    )
    await ringcentral.receives_sms()
    assert len(ringcentral.notifications) == 2


async def test_slow_and_verbose_answers_fail(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """An answer over 1024 bytes counts as a failure even with status 200."""
    await subscribe()

    async def verbose(request: web.Request) -> web.StreamResponse:
        return web.Response(text="x" * 2000)

    receiver.answer = verbose
    await ringcentral.receives_sms()
    (sent,) = await eventually(lambda: ringcentral.notifications)
    await eventually(lambda: sent.outcome)
    assert sent.outcome == "Webhook response exceeds max size. Read bytes count: [1024]"


async def test_older_and_other_forms(
    subscribe: Any, ask: Any, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """Where the sources differ, notifications have the other form on demand."""
    other: dict[str, Any] = {"event_account": "~", "event_times": "+0000", "event_ids": "none"}
    other |= {"zero_counts": False, "voicemail_word": "Voicemail", "message_event_ids": "number"}
    other |= {"verification_header": "Validation-Token", "aggregation": 0}
    ringcentral.settings.change(other)
    token = {"verificationToken": "secret"}
    await subscribe(f"{MAILBOX}/message-store", f"{MAILBOX}/voicemail", deliveryMode=token)
    voicemail = await ringcentral.receives_voicemail()
    await eventually(lambda: len(receiver.notifications) == 2)
    by_event = {told["event"]: told for told in receiver.notifications}
    mailbox = f"/restapi/v1.0/account/~/extension/{ringcentral.extension_id}"
    change = by_event[f"{mailbox}/message-store"]
    assert change["timestamp"].endswith("+0000")
    assert {*change["body"]} == {"lastUpdated", "changes"}
    expected = {"type": "Voicemail", "newCount": 1, "newMessageIds": [voicemail["id"]]}
    assert change["body"]["changes"] == [expected]
    whole = by_event[f"{mailbox}/voicemail"]["body"]
    assert (whole["id"], whole["type"]) == (voicemail["id"], "Voicemail")
    assert whole["attachments"][0]["id"] == voicemail["attachments"][0]["id"]
    assert {headers["Validation-Token"] for headers in receiver.headers} == {"secret"}
