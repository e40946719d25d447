"""Reading and changing the Message Store: list, one, batches, life and death."""

from typing import Any

import pytest

from sandbox import RingCentral

BATCH = "application/vnd.ringcentral.multipart+json"
DAY = 86_400


async def test_listing(ask: Any, ringcentral: RingCentral) -> None:
    """The list has the newest first, in pages that lead to each other, and only what is alive."""
    sent = [await ringcentral.receives_sms(str(n)) for n in range(5)]
    await ring_old(ringcentral)
    await ask("DELETE", f"/message-store/{sent[0]['id']}")
    body = (await ask("GET", "/message-store?perPage=3")).body
    assert [r["subject"] for r in body["records"]] == ["4", "3", "2"]
    assert body["paging"] == {
        "page": 1,
        "perPage": 3,
        "pageStart": 0,
        "pageEnd": 2,
        "totalPages": 2,
        "totalElements": 4,
    }
    following = (await ask("GET", body["navigation"]["nextPage"]["uri"])).body
    assert [r["subject"] for r in following["records"]] == ["1"]
    assert "nextPage" not in following["navigation"]
    assert "availability=Alive" in body["uri"]


async def ring_old(ringcentral: RingCentral) -> None:
    """A message from the day before yesterday, outside of the default range."""
    now = ringcentral.server.emulator.clock.time()
    await ringcentral.receives_sms("old", created=now - 2 * DAY)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("messageType=SMS&messageType=Pager", {"SMS", "Pager"}),
        ("messageType=voicemail", {"VoiceMail"}),
        ("readStatus=Read", {"Fax"}),
        ("direction=Outbound", {"Fax"}),
        ("phoneNumber=+16505550142", {"SMS"}),
        ("availability=Deleted", {"VoiceMail"}),
        ("availability=Alive&availability=Deleted", {"SMS", "Fax", "VoiceMail", "Pager"}),
        ("dateTo=2020-01-01T00:00:00Z&dateFrom=2019-01-01T00:00:00Z", set[str]()),
    ],
)
async def test_filters(ask: Any, ringcentral: RingCentral, query: str, found: set[str]) -> None:
    """Every filter of the list narrows it."""
    await ringcentral.receives_sms(sender="+16505550142")
    await ringcentral.receives_pager()
    await ringcentral.receives_fax(direction="Outbound", read_status="Read")
    await ringcentral.receives_voicemail()
    gone = await ringcentral.receives_voicemail()
    await ask("DELETE", f"/message-store/{gone['id']}")
    body = (await ask("GET", f"/message-store?{query}")).body
    assert {record["type"] for record in body["records"]} == found


@pytest.mark.parametrize(
    "query", ["messageType=Letter", "dateFrom=yesterday", "page=0", "perPage=x", "readStatus=no"]
)
async def test_filters_that_make_no_sense(ask: Any, query: str) -> None:
    """A value that cannot be is refused with the parameter's name."""
    answer = await ask("GET", f"/message-store?{query}")
    assert (answer.status, answer.code) == (400, "CMN-101")
    assert answer.body["parameterName"] == query.partition("=")[0]


async def test_old_messages_need_a_date(ask: Any, ringcentral: RingCentral) -> None:
    """Without dateFrom the list reaches back a day."""
    await ring_old(ringcentral)
    assert not (await ask("GET", "/message-store")).body["records"]
    body = (await ask("GET", "/message-store?dateFrom=2020-01-01T00:00:00Z")).body
    assert len(body["records"]) == 1


async def test_one_message(ask: Any, ringcentral: RingCentral) -> None:
    """A message is read by its id, also in the whole-numbered extension's mailbox only."""
    sms = await ringcentral.receives_sms()
    answer = await ask("GET", f"/message-store/{sms['id']}")
    (recipient,) = answer.body.pop("vmSideRecipients")
    assert recipient["extensionId"] == ringcentral.extension_id
    assert answer.body == sms
    assert sms["conversationId"] > 2**53
    assert sms["conversation"]["id"] == str(sms["conversationId"])
    assert answer.headers["RCRequestId"]
    assert answer.headers["X-Rate-Limit-Group"] == "light"
    other = ringcentral.extension_ids[1]
    elsewhere = f"/restapi/v1.0/account/~/extension/{other}/message-store/{sms['id']}"
    missing = await ask("GET", elsewhere)
    assert (missing.status, missing.code) == (404, "CMN-102")
    nobody = await ask("GET", "/restapi/v1.0/account/~/extension/77/message-store")
    assert nobody.body["parameterName"] == "extensionId"


async def test_batch_reading(ask: Any, ringcentral: RingCentral) -> None:
    """Several ids are answered in order with a status each, in both forms."""
    ids = [(await ringcentral.receives_sms())["id"] for _ in range(2)]
    path = f"/message-store/{ids[0]},111,{ids[1]}"
    answer = await ask("GET", path, headers={"Accept": BATCH})
    assert (answer.status, answer.headers["Content-Type"]) == (207, BATCH)
    assert [(e["resourceId"], e["status"]) for e in answer.body] == [
        (str(ids[0]), 200),
        ("111", 404),
        (str(ids[1]), 200),
    ]
    assert answer.body[1]["body"]["errorCode"] == "CMN-102"
    mixed = await ask("GET", path)
    assert mixed.status == 207
    assert mixed.headers["Content-Type"].startswith("multipart/mixed; boundary=")
    assert mixed.body.count(b"Content-Type: application/json\r\n\r\n") == 4
    many = ",".join(str(n) for n in range(51))
    assert (await ask("GET", f"/message-store/{many}")).code == "CMN-106"


async def test_marking_one(ask: Any, ringcentral: RingCentral) -> None:
    """PUT changes the read status, and nothing else can be changed with it."""
    fax = await ringcentral.receives_fax()
    one = f"/message-store/{fax['id']}"
    answer = await ask("PUT", one, json={"readStatus": "Read"})
    assert (answer.status, answer.body["readStatus"]) == (200, "Read")
    assert ringcentral.message(fax["id"])["readStatus"] == "Read"
    nonsense: list[Any] = [{"readStatus": "Seen"}, {"availability": "Alive"}, {}, []]
    for wrong in nonsense:
        assert (await ask("PUT", one, json=wrong)).code == "CMN-101"


async def test_marking_by_path(ask: Any, ringcentral: RingCentral) -> None:
    """A batch in the path takes a body per id, as JSON or multipart/mixed."""
    ids = [(await ringcentral.receives_sms())["id"] for _ in range(2)]
    path = f"/message-store/{ids[0]},{ids[1]}"
    headers = {"Accept": BATCH, "Content-Type": BATCH}
    answer = await ask("PUT", path, json=[{"body": {"readStatus": "Read"}}] * 2, headers=headers)
    assert [entry["status"] for entry in answer.body] == [200, 200]
    short = await ask("PUT", path, json=[{"body": {"readStatus": "Read"}}], headers=headers)
    assert short.code == "CMN-101"
    part = 'Content-Type: application/json\r\n\r\n{"readStatus": "Unread"}\r\n'
    mixed = f"--b1\r\n{part}--b1\r\n{part}--b1--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b1"}
    assert (await ask("PUT", path, data=mixed.encode(), headers=headers)).status == 207
    assert {ringcentral.message(i)["readStatus"] for i in ids} == {"Unread"}


async def test_marking_by_body(ask: Any, ringcentral: RingCentral) -> None:
    """A batch in the body names its ids itself, up to a thousand."""
    ids = [(await ringcentral.receives_sms())["id"] for _ in range(3)]
    entries = [{"resourceId": str(i), "body": {"readStatus": "Read"}} for i in [*ids, 5]]
    headers = {"Accept": BATCH, "Content-Type": BATCH}
    answer = await ask("PUT", "/message-store/*", json=entries, headers=headers)
    assert [entry["status"] for entry in answer.body] == [200, 200, 200, 404]
    assert {ringcentral.message(i)["readStatus"] for i in ids} == {"Read"}
    too_many = await ask("PUT", "/message-store/*", json=entries * 251, headers=headers)
    assert too_many.code == "CMN-106"
    assert (await ask("PUT", "/message-store/*", json=[], headers=headers)).code == "CMN-101"


async def test_life_cycle(ask: Any, ringcentral: RingCentral) -> None:
    """Alive, Deleted, Purged; Deleted can be restored, Purged has lost its attachments."""
    fax = await ringcentral.receives_fax()
    one = f"/message-store/{fax['id']}"
    assert (await ask("DELETE", one)).status == 204
    assert ringcentral.message(fax["id"])["availability"] == "Deleted"
    restored = await ask("PATCH", one, json={"availability": "Alive"})
    assert (restored.status, restored.body["availability"]) == (200, "Alive")
    await ask("DELETE", one)
    await ask("DELETE", one)
    assert ringcentral.message(fax["id"])["availability"] == "Purged"
    assert (await ask("DELETE", one)).status == 204
    assert (await ask("PATCH", one, json={"availability": "Alive"})).status == 400
    assert (await ask("GET", fax["attachments"][0]["uri"])).code == "CMN-102"
    other = await ringcentral.receives_fax()
    await ask("DELETE", f"/message-store/{other['id']}?purge=true")
    assert ringcentral.message(other["id"])["availability"] == "Purged"


async def test_deleting_several(ask: Any, ringcentral: RingCentral) -> None:
    """A batch is 204 when all are deleted, else 207 with a status each."""
    ids = [(await ringcentral.receives_sms())["id"] for _ in range(4)]
    assert (await ask("DELETE", f"/message-store/{ids[0]},{ids[1]}")).status == 204
    assert (await ask("DELETE", "/message-store/*", json=[str(ids[2])])).status == 204
    answer = await ask("DELETE", f"/message-store/{ids[3]},111", headers={"Accept": BATCH})
    assert answer.status == 207
    assert answer.body[0] == {"resourceId": str(ids[3]), "status": 204}
    assert answer.body[1]["status"] == 404
    assert {m["availability"] for m in ringcentral.messages()} == {"Deleted"}


@pytest.mark.parametrize("path", ["/message-store", "/message-store/*"])
async def test_deleting_without_ids(ask: Any, ringcentral: RingCentral, path: str) -> None:
    """The danger is real: a delete that names nothing deletes everything, in this mailbox."""
    await ringcentral.receives_sms()
    await ringcentral.receives_fax()
    spared = await ringcentral.receives_fax(extension="102")
    assert (await ask("DELETE", path)).status == 204
    assert {m["availability"] for m in ringcentral.messages()} == {"Deleted"}
    assert ringcentral.message(spared["id"])["availability"] == "Alive"


async def test_deleting_conversations(ask: Any, ringcentral: RingCentral) -> None:
    """A conversation's messages go together; a type beside it is refused."""
    gone = await ringcentral.receives_sms(sender="+16505550150")
    kept = await ringcentral.receives_sms(sender="+16505550160")
    query = f"conversationId={gone['conversationId']}"
    assert (await ask("DELETE", f"/message-store?{query}&type=SMS")).code == "MSG-390"
    assert (await ask("DELETE", f"/message-store?{query}")).status == 204
    assert ringcentral.message(gone["id"])["availability"] == "Deleted"
    assert ringcentral.message(kept["id"])["availability"] == "Alive"


async def test_account_and_extensions(ask: Any, ringcentral: RingCentral) -> None:
    """The account, its extensions in pages and by type, and the caller's own."""
    account = await ask("GET", "/restapi/v1.0/account/~")
    assert str(account.body["id"]) == ringcentral.account_id
    own = await ask("GET", "/restapi/v1.0/account/~/extension/~")
    assert str(own.body["id"]) == ringcentral.extension_id
    page = await ask("GET", "/restapi/v1.0/account/~/extension?page=2&perPage=2&type=User")
    assert [str(r["id"]) for r in page.body["records"]] == ringcentral.extension_ids[2:]
    assert page.body["paging"]["totalPages"] == 2
    none = await ask("GET", "/restapi/v1.0/account/~/extension?type=IvrMenu")
    assert none.body["records"] == []
    check = "/restapi/v1.0/account/~/extension/~/authz-profile/check?permissionId=ReadMessages"
    assert (await ask("GET", check)).body["successful"] is True
    ringcentral.denies("ReadMessages")
    assert (await ask("GET", check)).body["successful"] is False
