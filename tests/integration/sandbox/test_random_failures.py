"""Every n-th call fails in a random documented way, each fitting its operation."""

from typing import Any

import aiohttp
import pytest

from sandbox import Generated, RingCentral
from sandbox.random_failures import CALLS, FAILURES, TOKEN
from sandbox.samples.content import CHUNK
from sandbox.server import API_OPERATIONS, MEDIA_OPERATIONS

LIGHT: dict[str, Any] = {"limits": {"auth": 5}, "window": 60}


async def _outcome(ask: Any, method: str, path: str, **options: Any) -> Any:
    try:
        answer = await ask(method, path, **options)
    except aiohttp.ClientPayloadError:
        return "half an answer"
    except aiohttp.ClientError:
        return "no answer"
    return answer.status, answer.code if isinstance(answer.body, dict) and (
        answer.status >= 400
    ) else answer.headers["Content-Type"].partition(";")[0]


async def _failures(open_client: Any, seed: int) -> list[str]:
    async with RingCentral(penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        ringcentral.fails_every(2, seed=seed)
        for _ in range(60):
            await _outcome(ask, "GET", "/message-sync")
        # aiohttp itself repeats a GET whose connection was lost, so the log is what counts
        return [entry.failure for entry in ringcentral.requests][1:121]


async def test_every_second_call(open_client: Any) -> None:
    """The calls between work, the failures differ, and a seed repeats them."""
    seen = await _failures(open_client, 7)
    assert set(seen[::2]) == {""}
    assert "" not in seen[1::2]
    expected = {"silence", "half", "page 502", "page 200", "error 500 CMN-203"}
    assert {*expected, "error 401 OAU-213", "penalty 429 CMN-301"} <= {*seen}
    assert seen == await _failures(open_client, 7)
    assert seen != await _failures(open_client, 8)


async def test_what_a_client_sees(open_client: Any) -> None:
    """Error pages come with their status, and with 200 where JSON was asked for."""
    async with RingCentral(penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        ringcentral.fails_every(2, seed=7)
        seen = [await _outcome(ask, "GET", "/message-sync") for _ in range(60)]
        assert {(502, "text/html"), (200, "text/html"), (500, "CMN-203")} <= {*seen}
        assert (401, "OAU-213") in seen


def test_the_table_covers_every_operation() -> None:
    """Each operation of the API has failures, and the table names no other."""
    names = {operation.name for operation in (*API_OPERATIONS, *MEDIA_OPERATIONS)}
    named = {name for failure in FAILURES for name in failure.operations}
    assert names - {"revokeToken"} == CALLS | TOKEN
    assert named == CALLS | TOKEN


async def test_a_penalty_is_a_real_one(open_client: Any) -> None:
    """The 429 among the failures begins a penalty, with its headers."""
    async with RingCentral(window=5) as ringcentral:
        ask = await open_client(ringcentral)
        ringcentral.fails_every(2)
        while not ringcentral.refused("light"):
            await _outcome(ask, "GET", "/message-sync")
        ringcentral.recovers()
        answer = await ask("GET", "/message-sync")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
        assert answer.headers["X-Rate-Limit-Remaining"] == "0"
        assert len(ringcentral.sent_in_penalty()) == 1
        await ringcentral.passes(6)
        assert (await ask("GET", "/message-sync")).status == 200


async def test_a_body_that_breaks_off(open_client: Any) -> None:
    """An answer can end in the middle of its body, although its length was promised."""
    async with RingCentral(penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        fax = await ringcentral.receives_fax()
        ringcentral.fails_every(2, seed=3)
        address = fax["attachments"][0]["uri"]
        seen = [await _outcome(ask, "GET", address) for _ in range(60)]
        expected = {"half an answer", (404, "MSG-368"), (404, "CMN-102")}
        assert expected <= {*seen}


async def test_a_large_download_that_breaks_off(open_client: Any) -> None:
    """A content that is streamed can end in the middle as well."""
    async with RingCentral(penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        fax = await ringcentral.receives_fax(attachments=[Generated(CHUNK * 17)])
        ringcentral.fails_every(2, seed=3)
        address = fax["attachments"][0]["uri"]
        while "half" not in ringcentral.requests.counts()["failures"]:
            outcome = await _outcome(ask, "GET", address)
        assert outcome == "half an answer"


async def test_what_fits(open_client: Any) -> None:
    """Writes know limited mode, incremental syncs stale tokens; a full sync does not."""
    async with RingCentral(penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        sms = await ringcentral.receives_sms()
        full = (await ask("GET", "/message-sync")).body["syncInfo"]["syncToken"]
        ringcentral.fails_every(2, seed=1)
        one, read = f"/message-store/{sms['id']}", {"readStatus": "Read"}
        token = {"syncType": "ISync", "syncToken": full}
        full_syncs = [await _outcome(ask, "GET", "/message-sync") for _ in range(80)]
        syncs = [await _outcome(ask, "GET", "/message-sync", params=token) for _ in range(80)]
        writes = [await _outcome(ask, "PUT", one, json=read) for _ in range(80)]
        assert (503, "CMN-211") in writes
        assert (200, "text/html") not in writes
        assert {(400, "MSG-333"), (400, "CMN-101")} <= {*syncs}
        assert (400, "MSG-333") not in full_syncs


async def test_logins_stay_within_their_limit(open_client: Any) -> None:
    """Whoever logs in again after each 401 and waits where told is never refused for it."""
    async with RingCentral(**LIGHT, penalty=0) as ringcentral:
        ask = await open_client(ringcentral)
        ringcentral.fails_every(2, seed=5)
        for _ in range(200):
            outcome = await _outcome(ask, "GET", "/message-sync")
            if outcome[0] != 401:
                continue
            for _ in range(3):
                answer = await ask.sign_in()
                if answer.status == 200:
                    ask.token = answer.body["access_token"]
                    break
        logins = ringcentral.requests.matching("getToken")
        assert all(entry.failure for entry in logins if entry.status == 429)
        assert 1 < len(logins) <= 5


async def test_never_all() -> None:
    """Every call failing would be no test of anything."""
    async with RingCentral() as ringcentral:
        with pytest.raises(ValueError, match="at least 2"):
            ringcentral.fails_every(1)
