"""The user we act for, extensions and subscriptions."""

from datetime import UTC, datetime
from typing import Any

import pytest

from message_store.client import MessageStore
from message_store.errors import BadAnswer, BadRequest, NotFound
from message_store.mailbox import Mailbox

SELF = "/restapi/v1.0/account/~/extension/~"
EXTENSIONS = "/restapi/v1.0/account/~/extension"
SUBSCRIPTIONS = "/restapi/v1.0/subscription"
ID = "dd2f0ff2-580e-4581-a277-76f9c9a54bc9"
SUBSCRIPTION = {
    "id": ID,
    "status": "Active",
    "eventFilters": ["/restapi/v1.0/account/7/extension/101/message-store"],
    "disabledFilters": [{"filter": "/x", "reason": "SUB-412", "message": "missing"}, 5],
    "expiresIn": 600,
    "expirationTime": "2026-03-02T09:00:00.000Z",
    "deliveryMode": {"transportType": "WebHook", "address": "https://example.com/hook"},
}

pytestmark = pytest.mark.usefixtures("without_waiting")


@pytest.mark.parametrize(
    "extension",
    [
        {"id": 101, "account": {"id": "7"}},
        {"id": "101", "account": {"id": 7}},
        {"id": 101, "uri": "https://x.example/restapi/v1.0/account/7/extension/101"},
    ],
)
async def test_who_is_signed_in(
    fake: Any, store: MessageStore, reply: Any, extension: dict[str, Any]
) -> None:
    """The real ids, from wherever the answer has them."""
    fake.on("GET", SELF, reply(body=extension))
    assert await store.signed_in() == Mailbox("7", "101")


async def test_an_account_that_is_not_named(fake: Any, store: MessageStore, reply: Any) -> None:
    """Without the account no mailbox can be named."""
    fake.on("GET", SELF, reply(body={"id": 101}))
    with pytest.raises(BadAnswer, match="account"):
        await store.signed_in()


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "x/y z", "account": {"id": 7}},
        {"id": "~", "account": {"id": 7}},
        {"id": 101, "account": {"id": "7/8"}},
        {"id": 101, "account": {"id": True}},
        {"id": 101, "uri": f"/account/{'7' * 21}/extension/101"},
    ],
)
async def test_odd_ids_of_the_caller(
    fake: Any, store: MessageStore, reply: Any, odd: dict[str, Any]
) -> None:
    """Ids that are none never become a mailbox."""
    fake.on("GET", SELF, reply(body=odd))
    with pytest.raises(BadAnswer):
        await store.signed_in()


async def test_extensions_and_subscriptions_with_odd_ids_are_left_out(
    fake: Any, store: MessageStore, reply: Any
) -> None:
    """One odd record costs the others nothing."""
    records = [{"id": "x/y z"}, {"id": "~"}, {"id": 1}, {"id": "1\t"}, {}, 5]
    fake.on("GET", EXTENSIONS, reply(body={"records": records}))
    fake.on("GET", SUBSCRIPTIONS, reply(body={"records": [{"id": "../x"}, SUBSCRIPTION]}))
    assert [extension.id for extension in await store.extensions()] == ["1"]
    assert [subscription.id for subscription in await store.subscriptions()] == [ID]


async def test_all_extensions(fake: Any, store: MessageStore, reply: Any) -> None:
    """All pages are read, and an extension that slid between them is there once."""
    fake.on(
        "GET",
        EXTENSIONS,
        reply(body={"records": [{"id": 1, "extensionNumber": 101}], "paging": {"totalPages": 2}}),
        reply(body={"records": [{"id": 1}, {"id": 2}], "paging": {"totalPages": 2}}),
    )
    found = await store.extensions(types=["User", "Department"], statuses=["Enabled"])
    assert [extension.id for extension in found] == ["1", "2"]
    assert fake.calls()[1].query == [
        ("type", "User"),
        ("type", "Department"),
        ("status", "Enabled"),
        ("page", "2"),
        ("perPage", "1000"),
    ]


@pytest.mark.parametrize("answer", [True, False])
async def test_permissions(fake: Any, store: MessageStore, reply: Any, answer: bool) -> None:
    """Whether the user may, for itself or over another extension."""
    fake.on("GET", f"{SELF}/authz-profile/check", reply(body={"successful": answer}))
    assert await store.may("ReadMessages") is answer
    assert await store.may("ReadMessages", "102") is answer
    first, second = fake.calls()
    assert first.query == [("permissionId", "ReadMessages")]
    assert second.query == [("permissionId", "ReadMessages"), ("targetExtensionId", "102")]


async def test_subscribing(fake: Any, store: MessageStore, reply: Any) -> None:
    """The request has the members that RingCentral wants; the answer is understood."""
    fake.on("POST", SUBSCRIPTIONS, reply(body=SUBSCRIPTION))
    made = await store.create_subscription(["/a", "/b"], "https://example.com/hook", "s3cret", 600)
    assert fake.calls()[0].json == {
        "eventFilters": ["/a", "/b"],
        "expiresIn": 600,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": "https://example.com/hook",
            "verificationToken": "s3cret",
        },
    }
    assert (made.id, made.is_active, made.expires_in) == (ID, True, 600)
    assert [disabled.reason for disabled in made.disabled_filters] == ["SUB-412"]
    assert made.expiration_time == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert made.delivery_mode.address == "https://example.com/hook"


async def test_a_webhook_that_cannot_be_reached(fake: Any, store: MessageStore, reply: Any) -> None:
    """The failed handshake names the variable to look at."""
    fake.on("POST", SUBSCRIPTIONS, reply(400, {"errors": [{"errorCode": "SUB-521"}]}))
    with pytest.raises(BadRequest, match="WEBHOOK_URL cannot be reached"):
        await store.create_subscription(["/a"], "https://example.com", "s3cret", 600)


async def test_looking_after_subscriptions(fake: Any, store: MessageStore, reply: Any) -> None:
    """List, read, renew; anything but Active is broken, and odd fields cost nothing."""
    broken: dict[str, Any] = {
        "id": "x-1",
        "status": "Blacklisted",
        "eventFilters": None,
        "deliveryMode": [],
    }
    fake.on("GET", SUBSCRIPTIONS, reply(body={"records": [SUBSCRIPTION, broken]}))
    fake.on("GET", f"{SUBSCRIPTIONS}/{ID}", reply(body=SUBSCRIPTION))
    fake.on("POST", f"{SUBSCRIPTIONS}/{ID}/renew", reply(502), reply(body=SUBSCRIPTION))
    assert [one.is_active for one in await store.subscriptions()] == [True, False]
    assert (await store.subscription(ID)).id == ID
    assert (await store.renew_subscription(ID)).id == ID
    with pytest.raises(NotFound):
        await store.renew_subscription("gone")


async def test_changing_a_subscription(fake: Any, store: MessageStore, reply: Any) -> None:
    """The lifetime is told each time, as without it RingCentral takes its own; nothing else is."""
    fake.on("PUT", f"{SUBSCRIPTIONS}/{ID}", reply(502), reply(body=SUBSCRIPTION))
    assert (await store.update_subscription(ID, ["/a", "/b"], 600)).id == ID
    assert fake.calls()[1].json == {"eventFilters": ["/a", "/b"], "expiresIn": 600}


async def test_a_blacklisted_subscription(fake: Any, store: MessageStore, reply: Any) -> None:
    """It says since when and why."""
    told = {"blacklistedAt": "2026-03-02T09:00:00.000Z", "reason": "[Read timed out]"}
    broken = {**SUBSCRIPTION, "status": "Blacklisted", "blacklistedData": told}
    fake.on("GET", SUBSCRIPTIONS, reply(body={"records": [broken, SUBSCRIPTION]}))
    [one, other] = await store.subscriptions()
    assert one.blacklisted_data.blacklisted_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert one.blacklisted_data.reason == "[Read timed out]"
    assert other.blacklisted_data.reason is None


async def test_ending_a_subscription(fake: Any, store: MessageStore, reply: Any) -> None:
    """One that is gone already is as good as ended."""
    fake.on("DELETE", f"{SUBSCRIPTIONS}/{ID}", reply(204), reply(404, {"errorCode": "SUB-507"}))
    await store.delete_subscription(ID)
    await store.delete_subscription(ID)
    assert len(fake.calls()) == 2


@pytest.mark.parametrize("odd", ["", "../x", "a/b", "a?b", "a" * 65])
async def test_an_id_cannot_lead_elsewhere(fake: Any, store: MessageStore, odd: str) -> None:
    """An empty id would address all subscriptions."""
    with pytest.raises(ValueError, match="not an id"):
        await store.delete_subscription(odd)
    assert fake.seen == []
