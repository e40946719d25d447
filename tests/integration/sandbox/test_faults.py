"""What the sandbox does when it is told to fail, and what its log knows of it."""

from typing import Any

import aiohttp
import pytest

from sandbox import REAL_LIMITS, RingCentral


async def test_failing_calls(ask: Any, ringcentral: RingCentral) -> None:
    """So many calls of a path fail in the way asked for, then they work again."""
    ringcentral.fails("message-sync", status=503, code="CMN-211", times=2, retry_after=7)
    assert (await ask("GET", "/message-store")).status == 200
    for _ in range(2):
        answer = await ask("GET", "/message-sync")
        assert (answer.status, answer.code) == (503, "CMN-211")
        assert answer.headers["Retry-After"] == "7"
        assert answer.headers["RCRequestId"]
    assert (await ask("GET", "/message-sync")).status == 200
    assert ringcentral.count("message-sync") == 3
    assert ringcentral.count("syncMessages", status=503) == 2


async def test_pages_and_silence(ask: Any, ringcentral: RingCentral) -> None:
    """A failure can be an HTML page, or a connection that ends."""
    ringcentral.fails("message-store", status=502, body="<html>Bad Gateway</html>")
    answer = await ask("GET", "/message-store")
    assert (answer.status, answer.body) == (502, b"<html>Bad Gateway</html>")
    ringcentral.breaks_off("message-store")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask("POST", "/message-store")


@pytest.mark.parametrize(
    ("permission", "method", "path"),
    [
        ("ReadMessages", "GET", "/message-sync"),
        ("EditMessages", "PUT", "/message-store/1"),
        ("ReadExtensions", "GET", "/restapi/v1.0/account/~/extension"),
    ],
)
async def test_permissions(
    ask: Any, ringcentral: RingCentral, permission: str, method: str, path: str
) -> None:
    """A permission that the user lacks is named in the answer, until it is given again."""
    ringcentral.denies(permission)
    answer = await ask(method, path)
    assert (answer.status, answer.code) == (403, "CMN-408")
    assert answer.body["permissionName"] == permission
    ringcentral.recovers()
    assert (await ask(method, path)).status != 403


async def test_an_apps_permission(ask: Any, ringcentral: RingCentral) -> None:
    """A permission that the app lacks has its own code."""
    ringcentral.denies("ReadMessages", to="app")
    assert (await ask("GET", "/message-store")).code == "CMN-401"


async def test_limited_mode(ask: Any, ringcentral: RingCentral) -> None:
    """In limited mode reads work and writes answer 503 CMN-211."""
    sms = await ringcentral.receives_sms()
    ringcentral.enters_limited_mode(retry_after=9)
    one = f"/message-store/{sms['id']}"
    assert (await ask("GET", one)).status == 200
    answer = await ask("PUT", one, json={"readStatus": "Read"})
    assert (answer.status, answer.code) == (503, "CMN-211")
    assert answer.headers["Retry-After"] == "9"


async def test_the_real_limits(open_client: Any) -> None:
    """Fifty light calls a minute; the next is 429, and any in the penalty restarts it."""
    async with RingCentral(limits=REAL_LIMITS) as ringcentral:
        ask = await open_client(ringcentral)
        for left in reversed(range(50)):
            answer = await ask("GET", "/message-sync")
            assert answer.headers["X-Rate-Limit-Remaining"] == str(left)
        answer = await ask("GET", "/message-sync")
        assert (answer.status, answer.code) == (429, "CMN-301")
        assert answer.headers["Retry-After"] == "60"
        await ringcentral.passes(50)
        assert (await ask("GET", "/message-sync")).status == 429
        await ringcentral.passes(50)
        assert (await ask("GET", "/message-sync")).status == 429
        assert [entry.in_penalty for entry in ringcentral.requests][-3:] == [False, True, True]
        await ringcentral.passes(61)
        assert (await ask("GET", "/message-sync")).status == 200


async def test_logins_are_limited_too(open_client: Any) -> None:
    """Five token calls a minute."""
    async with RingCentral(limits=REAL_LIMITS) as ringcentral:
        ask = await open_client(ringcentral)
        statuses = [(await ask.sign_in()).status for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]


async def test_latency(open_client: Any) -> None:
    """Every call takes as long as it was told to."""
    async with RingCentral(latency=0.03) as ringcentral:
        ask = await open_client(ringcentral)
        await ask("GET", "/message-store")
        assert all(entry.finished - entry.started >= 0.03 for entry in ringcentral.requests)
