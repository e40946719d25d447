"""RingCentral's own Python SDK, which knows nothing of us, works with the sandbox."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from sandbox import RingCentral

with warnings.catch_warnings():
    # ringcentral 0.9.2 is written with escapes that newer Pythons warn of when they compile it
    warnings.filterwarnings("ignore", message="invalid escape sequence")
    warnings.filterwarnings("ignore", message='"is not" with')
    from ringcentral import SDK
    from ringcentral.http.api_exception import ApiException

STORE = "/restapi/v1.0/account/~/extension/~/message-store"
SUBSCRIPTION = "/restapi/v1.0/subscription"
BATCH = "application/vnd.ringcentral.multipart+json"
InThread = Callable[[Callable[[Any], Any]], Awaitable[Any]]


@pytest.fixture
async def with_sdk(ringcentral: RingCentral) -> InThread:
    """`await with_sdk(steps)`: the steps with the SDK's platform, logged in, in a thread."""

    def run(steps: Callable[[Any], Any]) -> Any:
        sdk = SDK(ringcentral.client_id, ringcentral.client_secret, ringcentral.api_url)
        platform = sdk.platform()
        platform.login(jwt=ringcentral.jwt)
        return steps(platform)

    return lambda steps: asyncio.to_thread(run, steps)


async def test_logging_in_and_out(with_sdk: InThread, ringcentral: RingCentral) -> None:
    """It logs in with a JWT, knows whose token it has, and logs out."""

    def steps(platform: Any) -> str:
        assert platform.logged_in()
        owner = platform.auth().data()["owner_id"]
        platform.logout()
        return str(owner)

    assert await with_sdk(steps) == ringcentral.extension_id
    assert len(ringcentral.server.emulator.tokens) == 0


async def test_a_wrong_credential(ringcentral: RingCentral) -> None:
    """It raises its own exception for a refused login."""

    def steps() -> None:
        SDK(ringcentral.client_id, "guessed", ringcentral.api_url).platform().login(jwt="x")

    with pytest.raises(ApiException, match="Invalid client"):
        await asyncio.to_thread(steps)


async def test_reading(with_sdk: InThread, ringcentral: RingCentral) -> None:
    """It lists by type and date, reads one, reads several, and downloads a file."""
    sms = await ringcentral.receives_sms("From the SDK's view")
    fax = await ringcentral.receives_fax()

    def steps(platform: Any) -> None:
        query = {"messageType": ["SMS", "Fax"], "dateFrom": "2020-01-01T00:00:00.000Z"}
        listed = platform.get(STORE, query).json_dict()
        assert [record["id"] for record in listed["records"]] == [fax["id"], sms["id"]]
        one = platform.get(f"{STORE}/{sms['id']}").json()
        assert one.subject == "From the SDK's view"
        parts = platform.get(f"{STORE}/{sms['id']},{fax['id']},111").multipart()
        assert [part.ok() for part in parts] == [True, True, False]
        assert parts[1].json().id == fax["id"]
        file = platform.get(fax["attachments"][0]["uri"])
        assert file.body() == ringcentral.content(fax["id"], fax["attachments"][0]["id"])

    await with_sdk(steps)


async def test_synchronising(with_sdk: InThread, ringcentral: RingCentral) -> None:
    """It synchronises a mailbox with the token it was given."""
    await ringcentral.receives_sms()

    def steps(platform: Any) -> int:
        path = STORE.replace("message-store", "message-sync")
        full = platform.get(path, {"syncType": "FSync", "recordCount": 10}).json_dict()
        query = {"syncType": "ISync", "syncToken": full["syncInfo"]["syncToken"]}
        return len(platform.get(path, query).json_dict()["records"])

    assert await with_sdk(steps) == 1


async def test_marking_and_deleting(with_sdk: InThread, ringcentral: RingCentral) -> None:
    """It marks one message and several, and deletes."""
    ids = [(await ringcentral.receives_sms())["id"] for _ in range(3)]

    def steps(platform: Any) -> None:
        platform.put(f"{STORE}/{ids[0]}", {"readStatus": "Read"})
        entries = [{"resourceId": str(i), "body": {"readStatus": "Read"}} for i in ids[1:]]
        # it writes JSON for application/json only, which the path `*` takes as well
        answer = platform.put(f"{STORE}/*", entries, headers={"Accept": BATCH})
        assert [entry.status for entry in answer.json()] == [200, 200]
        platform.delete(f"{STORE}/{ids[0]}")

    await with_sdk(steps)
    assert {message["readStatus"] for message in ringcentral.messages()} == {"Read"}
    assert ringcentral.message(ids[0])["availability"] == "Deleted"


async def test_subscribing(
    with_sdk: InThread, receiver: Any, ringcentral: RingCentral, eventually: Any
) -> None:
    """It subscribes a webhook that is then called, renews and deletes the subscription."""
    body = {
        "eventFilters": [STORE],
        "deliveryMode": {"transportType": "WebHook", "address": receiver.address},
        "expiresIn": 1000,
    }

    def begin(platform: Any) -> str:
        made = platform.post(SUBSCRIPTION, body).json()
        assert made.status == "Active"
        assert platform.post(f"{SUBSCRIPTION}/{made.id}/renew").json().expiresIn > 990
        return str(made.id)

    name = await with_sdk(begin)
    await ringcentral.receives_sms()
    await eventually(lambda: receiver.notifications)
    await with_sdk(lambda platform: platform.delete(f"{SUBSCRIPTION}/{name}"))
    assert not ringcentral.subscriptions


async def test_a_failed_subscription(with_sdk: InThread, receiver: Any) -> None:
    """It shows RingCentral's words when the address does not shake hands."""

    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    receiver.answer = broken
    body = {
        "eventFilters": [STORE],
        "deliveryMode": {"transportType": "WebHook", "address": receiver.address},
    }
    with pytest.raises(ApiException, match="incorrect HTTP status"):
        await with_sdk(lambda platform: platform.post(SUBSCRIPTION, body))
