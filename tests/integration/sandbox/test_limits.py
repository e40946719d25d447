"""Rate limits as a client meets them, and what the request log answers about them."""

from typing import Any

from sandbox import RingCentral


async def test_the_log_knows_penalties(open_client: Any) -> None:
    """What was refused and what came inside a penalty can be asked for, by group."""
    async with RingCentral(limits={"light": 2, "medium": 1}, window=60) as ringcentral:
        ask = await open_client(ringcentral)
        for _ in range(4):
            await ask("GET", "/message-sync")
        await ask("GET", "/restapi/v1.0/account/~/extension")
        assert len(ringcentral.refused()) == len(ringcentral.refused("light")) == 2
        assert not ringcentral.refused("medium")
        (stray,) = ringcentral.sent_in_penalty()
        assert stray.operation == "syncMessages"
        assert stray.user == f"{ringcentral.client_id}/{ringcentral.extension_id}"
        assert not ringcentral.sent_in_penalty(under_way=5)
        await ringcentral.passes(10)
        await ask("GET", "/message-sync")
        assert len(ringcentral.sent_in_penalty(under_way=5)) == 1
        url = ringcentral.api_url + "/sandbox/requests"
        counts = (await ask("GET", f"{url}/counts")).body
        assert counts["groups"] == {"auth": 1, "light": 5, "medium": 1}
        assert counts["refused"] == {"light": 3}
        assert counts["inPenalty"] == {"light": 2}
        assert counts["operations"]["syncMessages"] == 5
        strays = (await ask("GET", f"{url}?inPenalty=true&group=light")).body
        assert [entry["status"] for entry in strays] == [429, 429]


async def test_a_penalty_of_its_own_length(open_client: Any) -> None:
    """The penalty may differ from the window, and need not restart."""
    choices: dict[str, Any] = {"limits": {"light": 1}, "window": 5, "penalty": 20}
    async with RingCentral(**choices, penalty_restarts=False) as ringcentral:
        ask = await open_client(ringcentral)
        await ask("GET", "/message-sync")
        refused = await ask("GET", "/message-sync")
        assert refused.headers["Retry-After"] == "20"
        assert refused.headers["X-Rate-Limit-Window"] == "5"
        await ringcentral.passes(15)
        assert (await ask("GET", "/message-sync")).headers["Retry-After"] == "5"
        await ringcentral.passes(6)
        assert (await ask("GET", "/message-sync")).status == 200


async def test_silent_limits(open_client: Any) -> None:
    """A 429 may lack Retry-After; another limit than the user's has no rate headers at all."""
    async with RingCentral(limits={"light": 1}, retry_after=False) as ringcentral:
        ask = await open_client(ringcentral)
        await ask("GET", "/message-sync")
        refused = await ask("GET", "/message-sync")
        assert refused.status == 429
        assert "Retry-After" not in refused.headers
        assert refused.headers["X-Rate-Limit-Group"] == "light"
        ringcentral.hits_another_limit("message-store", code="CMN-310", retry_after=2)
        other = await ask("PUT", "/message-store/1", json={})
        assert (other.status, other.code) == (429, "CMN-310")
        assert other.headers["Retry-After"] == "2"
        assert "X-Rate-Limit-Group" not in other.headers


async def test_logins_have_headers(open_client: Any) -> None:
    """The token endpoint tells what is left of the app's logins, also when it refuses."""
    async with RingCentral(limits={"auth": 3}) as ringcentral:
        ask = await open_client(ringcentral)
        wrong = await ask.sign_in(client_secret="guessed")
        assert (wrong.status, wrong.headers["X-Rate-Limit-Remaining"]) == (400, "1")
        await ask.sign_in()
        refused = await ask.sign_in()
        assert refused.headers["X-Rate-Limit-Group"] == "auth"
        assert refused.headers["X-Rate-Limit-Limit"] == "3"
        await ask.sign_in()
        assert [e.in_penalty for e in ringcentral.requests] == [False] * 4 + [True]


async def test_minutes_become_seconds(open_client: Any, receiver: Any, eventually: Any) -> None:
    """Windows, tokens, subscriptions and sync tokens may live for fractions of a second."""
    choices: dict[str, Any] = {"limits": {"light": 3}, "window": 0.3, "token_lifetime": 0.9}
    choices |= {"sync_token_lifetime": 0.2, "max_subscription_lifetime": 1}
    async with RingCentral(**choices) as ringcentral:
        ask = await open_client(ringcentral)
        token = (await ask("GET", "/message-sync")).body["syncInfo"]["syncToken"]
        mode = {"transportType": "WebHook", "address": receiver.address}
        path = "/restapi/v1.0/account/~/extension/~/message-store"
        body = {"eventFilters": [path], "deliveryMode": mode}
        made = await ask("POST", "/restapi/v1.0/subscription", json=body)
        assert made.body["expiresIn"] == 1
        for _ in range(4):
            answer = await ask("GET", "/message-store")
        assert (answer.status, answer.headers["X-Rate-Limit-Window"]) == (429, "0.3")
        await ringcentral.passes(0.35)
        stale = {"syncType": "ISync", "syncToken": token}
        assert (await ask("GET", "/message-sync", params=stale)).code == "MSG-333"
        await ringcentral.passes(0.6)
        assert (await ask("GET", "/message-store")).code == "OAU-128"
        await ringcentral.passes(0.2)
        assert not ringcentral.subscriptions
