"""message-sync: frames, tokens, the overlap, and what makes a token worthless."""

from typing import Any

import pytest

from sandbox import RingCentral

FSYNC = "/message-sync?syncType=FSync"


async def isync(ask: Any, token: str) -> Any:
    """An incremental sync."""
    return await ask("GET", "/message-sync", params={"syncType": "ISync", "syncToken": token})


async def token_of(ask: Any, path: str = FSYNC) -> str:
    """A full sync's token."""
    return str((await ask("GET", path)).body["syncInfo"]["syncToken"])


async def test_new_and_changed_since(ask: Any, ringcentral: RingCentral) -> None:
    """An incremental sync tells what came, what changed, and of deleted ones only that."""
    changed = await ringcentral.receives_sms("changed")
    gone = await ringcentral.receives_sms("gone")
    await ringcentral.receives_sms("untouched")
    await ringcentral.passes(60)
    token = await token_of(ask)
    assert (await isync(ask, token)).body["records"] == []
    await ringcentral.passes(60)
    await ringcentral.changes(changed["id"], readStatus="Read")
    await ask("DELETE", f"/message-store/{gone['id']}")
    fresh = await ringcentral.receives_fax()
    body = (await isync(ask, token)).body
    assert body["syncInfo"]["syncType"] == "ISync"
    assert [record["id"] for record in body["records"]] == [fresh["id"], gone["id"], changed["id"]]
    assert body["records"][1] == {"id": gone["id"], "availability": "Deleted"}
    assert body["records"][2]["readStatus"] == "Read"


async def test_the_overlap(ask: Any, ringcentral: RingCentral) -> None:
    """Records are repeated for five seconds, and not longer."""
    await ringcentral.receives_sms()
    first = (await isync(ask, await token_of(ask))).body
    assert len(first["records"]) == 1
    await ringcentral.passes(6)
    second = (await isync(ask, first["syncInfo"]["syncToken"])).body
    assert len(second["records"]) == 1
    third = (await isync(ask, second["syncInfo"]["syncToken"])).body
    assert third["records"] == []


async def test_the_frame_is_kept(ask: Any, ringcentral: RingCentral) -> None:
    """Filters and dates of the full sync hold for the incremental ones; each mailbox is its own."""
    token = await token_of(ask, f"{FSYNC}&messageType=Fax")
    await ringcentral.receives_sms()
    fax = await ringcentral.receives_fax()
    await ringcentral.receives_fax(created=1_000_000_000)
    await ringcentral.receives_fax(extension="102")
    assert [r["id"] for r in (await isync(ask, token)).body["records"]] == [fax["id"]]


async def test_about_as_many_as_asked(ask: Any, ringcentral: RingCentral) -> None:
    """olderRecordsExist leads back by dateTo; a burst of one second is never cut in two."""
    now = ringcentral.server.emulator.clock.time()
    for n in range(12):
        await ringcentral.receives_sms(str(n), created=now - 100 + n // 4)
    found: list[str] = []
    query = f"{FSYNC}&recordCount=3"
    while True:
        body = (await ask("GET", query)).body
        found += [record["subject"] for record in body["records"]]
        if not body["syncInfo"]["olderRecordsExist"]:
            break
        query = f"{FSYNC}&recordCount=3&dateTo={body['records'][-1]['creationTime']}"
        assert len(found) < 60
    assert {int(subject) for subject in found} == set(range(12))


async def test_the_default_range(ask: Any, ringcentral: RingCentral) -> None:
    """Without dateFrom a full sync reaches back a day, with it as far as told."""
    now = ringcentral.server.emulator.clock.time()
    await ringcentral.receives_sms(created=now - 90_000)
    assert (await ask("GET", FSYNC)).body["records"] == []
    body = (await ask("GET", f"{FSYNC}&dateFrom=2020-01-01T00:00:00Z")).body
    assert len(body["records"]) == 1


@pytest.mark.parametrize("token", ["nonsense", "AQEAAAAAAwAAAVEa8k3QBgAAAAIFAAAB", "%%", ""])
async def test_tokens_nobody_gave(ask: Any, token: str) -> None:
    """An unknown token asks for a full sync, a missing one is a mistake."""
    answer = await isync(ask, token)
    assert answer.status == 400
    assert answer.code == ("MSG-333" if token else "CMN-101")


async def test_tokens_that_died(ask: Any, ringcentral: RingCentral) -> None:
    """Another mailbox's token, an old one and a forgotten one are worth nothing."""
    token = await token_of(ask)
    other = f"/restapi/v1.0/account/~/extension/{ringcentral.extension_ids[1]}/message-sync"
    query = {"syncType": "ISync", "syncToken": token}
    assert (await ask("GET", other, params=query)).code == "MSG-333"
    await ringcentral.forgets_sync_tokens()
    assert (await isync(ask, token)).code == "MSG-333"


async def test_an_old_token(open_client: Any) -> None:
    """A token's lifetime and the code of a stale one are settings."""
    async with RingCentral(sync_token_lifetime=100, stale_sync_code="CMN-101") as ringcentral:
        ask = await open_client(ringcentral)
        token = await token_of(ask)
        await ringcentral.passes(101)
        answer = await isync(ask, token)
        assert (answer.code, answer.body["parameterName"]) == ("CMN-101", "syncToken")
