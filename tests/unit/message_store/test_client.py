"""Reading a mailbox: synchronise, list, get; what is sent and what is understood."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from structlog.testing import capture_logs

from message_store.client import MessageStore
from message_store.errors import BadAnswer, BadRequest, FullSyncRequired, NotFound
from message_store.mailbox import Mailbox
from message_store.message import Message

EXTENSION = "/restapi/v1.0/account/7/extension/101"
SYNC, STORE = f"{EXTENSION}/message-sync", f"{EXTENSION}/message-store"
INFO = {"syncType": "FSync", "syncToken": "AQ+/=&", "syncTime": "2026-03-02T09:00:00.000Z"}
GONE = {"errorCode": "CMN-102", "errors": [{"errorCode": "CMN-102"}]}
MORNING = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))

pytestmark = pytest.mark.usefixtures("without_waiting")


async def test_full_sync(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, sample: Any
) -> None:
    """Without a token it is a full sync between dates in UTC with milliseconds."""
    records = [sample("sms.json"), {"availability": "Alive"}, {"id": 9, "availability": "Deleted"}]
    info = INFO | {"olderRecordsExist": True}
    fake.on("GET", SYNC, reply(body={"records": records, "syncInfo": info}))
    page = await store.sync(mailbox, date_from=MORNING, date_to=MORNING + timedelta(days=1))
    assert [record.id for record in page.records] == ["2811000401001", "9"]
    assert (page.token, page.older_records_exist) == ("AQ+/=&", True)
    assert page.time == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert dict(fake.calls()[0].query) == {
        "syncType": "FSync",
        "recordCount": "250",
        "dateFrom": "2026-03-02T09:00:00.123Z",
        "dateTo": "2026-03-03T09:00:00.123Z",
    }
    await store.sync(mailbox, date_from=MORNING, owner="Shared")
    assert dict(fake.calls()[1].query)["owner"] == "Shared"


ODD = ["5\t6", "abc", "x/y z", "٣", "-5", "5\n", "", "1" * 21, -5, 1.5, True, None]


async def test_records_with_odd_ids_are_left_out(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """What is no message id cannot harm its neighbours; one line tells how many there were."""
    records = [*({"id": odd} for odd in ODD), 5, {"id": 5}]
    fake.on("GET", SYNC, reply(body={"records": records, "syncInfo": INFO}))
    fake.on("GET", STORE, reply(body={"records": records}))
    fake.on("GET", f"{STORE}/5", reply(body={"id": "5\t6"}))
    with capture_logs() as lines:
        page = await store.sync(mailbox)
    assert [record.id for record in page.records] == ["5"]
    assert [(line["operation"], line["records"]) for line in lines] == [("message-sync", 13)]
    listed = await store.list(mailbox, per_page=len(records))
    assert [record.id for record in listed.records] == ["5"]
    assert listed.has_next, "a page is full whatever was left out of it"
    with pytest.raises(BadAnswer, match="without a usable id"):
        await store.get(mailbox, "5")


async def test_incremental_sync(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """With a token it is incremental; the token travels unharmed, dates and owner stay at home."""
    fake.on("GET", SYNC, reply(body={"records": [], "syncInfo": INFO}))
    await store.sync(mailbox, token="AQ+/=& ~", date_from=MORNING, owner="Any", record_count=10)
    assert dict(fake.calls()[0].query) == {
        "syncType": "ISync",
        "syncToken": "AQ+/=& ~",
        "recordCount": "10",
    }


@pytest.mark.parametrize(
    "error",
    [
        {"errorCode": "MSG-333"},
        {"errorCode": "InvalidParameter", "errors": [{"errorCode": "MSG-333"}]},
        {"errors": [{"errorCode": "CMN-101", "parameterName": "syncToken"}]},
        {"errors": [{"errorCode": "CMN-101"}]},
    ],
)
async def test_a_refused_token_asks_for_a_full_sync(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, error: Any
) -> None:
    """Both codes that RingCentral uses are understood."""
    fake.on("GET", SYNC, reply(400, error))
    with pytest.raises(FullSyncRequired):
        await store.sync(mailbox, token="old")


async def test_another_bad_parameter_is_not_about_the_token(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """A full sync would not cure it."""
    body = {"errors": [{"errorCode": "CMN-101", "parameterName": "recordCount"}]}
    fake.on("GET", SYNC, reply(400, body), reply(400, body), reply(400, {"errorCode": "CMN-101"}))
    with pytest.raises(BadRequest):
        await store.sync(mailbox, token="good")
    for _ in range(2):
        with pytest.raises(BadRequest):
            await store.sync(mailbox)


@pytest.mark.parametrize(
    "body",
    [
        {"records": []},
        {"records": [], "syncInfo": []},
        {"records": [], "syncInfo": {"syncToken": ""}},
        {"records": [], "syncInfo": {"syncToken": 5}},
        {"records": {}, "syncInfo": INFO},
        {"syncInfo": INFO},
    ],
)
async def test_a_sync_without_its_parts(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, body: Any
) -> None:
    """Without token or records nothing can be committed."""
    fake.on("GET", SYNC, reply(body=body))
    with pytest.raises(BadAnswer):
        await store.sync(mailbox)


async def test_a_bad_sync_time_costs_nothing_else(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """The time is told where it can be read."""
    fake.on("GET", SYNC, reply(body={"records": [], "syncInfo": INFO | {"syncTime": "now"}}))
    assert (await store.sync(mailbox)).time is None


async def test_a_time_needs_its_zone(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """A time without a zone would be read as another one elsewhere."""
    with pytest.raises(ValueError, match="zone"):
        await store.sync(mailbox, date_from=datetime(2026, 3, 2))  # noqa: DTZ001  # the point
    assert fake.seen == []


async def test_list_sends_its_filters(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """Values repeat their parameter, and a plus sign stays one."""
    fake.on("GET", STORE, reply(body={"records": [{"id": 1}]}))
    await store.list(
        mailbox,
        message_types=["SMS", "Fax"],
        directions=["Inbound"],
        read_statuses=["Unread"],
        availability=["Alive", "Deleted"],
        date_from=MORNING,
        page=2,
        per_page=50,
        phone_number="+12025550143",
    )
    assert fake.calls()[0].query == [
        ("messageType", "SMS"),
        ("messageType", "Fax"),
        ("direction", "Inbound"),
        ("readStatus", "Unread"),
        ("availability", "Alive"),
        ("availability", "Deleted"),
        ("dateFrom", "2026-03-02T09:00:00.123Z"),
        ("phoneNumber", "+12025550143"),
        ("page", "2"),
        ("perPage", "50"),
    ]


@pytest.mark.parametrize(
    ("extras", "total", "has_next"),
    [
        ({"paging": {"totalPages": 3}, "navigation": {"nextPage": {"uri": "x"}}}, 3, True),
        ({"paging": {"totalPages": 3}, "navigation": {"firstPage": {"uri": "x"}}}, 3, False),
        ({"paging": {"totalPages": 3}}, 3, True),
        ({"paging": {"totalPages": 1}}, 1, False),
        ({"navigation": {"nextPage": {"uri": "x"}}}, None, True),
        ({"paging": {"totalPages": "3"}}, None, True),
        ({}, None, True),
    ],
)
async def test_whether_another_page_follows(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    extras: dict[str, Any],
    total: int | None,
    has_next: bool,
) -> None:
    """Navigation decides, else the count, else whether the page is full."""
    fake.on("GET", STORE, reply(body={"records": [{"id": 1}, {"id": 2}]} | extras))
    page = await store.list(mailbox, per_page=2)
    assert (page.page, page.total_pages, page.has_next) == (1, total, has_next)


async def test_a_walk_sees_each_message_once(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """All pages have the same end, and a message that slid to the next page is not repeated."""
    fake.on(
        "GET",
        STORE,
        reply(body={"records": [{"id": 3}, {"id": 2}]}),
        reply(body={"records": [{"id": 2}, {"id": 1}]}),
        reply(body={"records": []}),
    )
    pages = [page async for page in store.walk(mailbox, date_from=MORNING, per_page=2)]
    assert [record.id for page in pages for record in page.records] == ["3", "2", "1"]
    queries = [dict(call.query) for call in fake.calls()]
    assert [query["page"] for query in queries] == ["1", "2", "3"]
    assert len({query["dateTo"] for query in queries}) == 1


async def test_get(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, sample: Any
) -> None:
    """One message, whole."""
    fake.on("GET", f"{STORE}/2811000403001", reply(body=sample("fax.json")))
    message = await store.get(mailbox, "2811000403001")
    assert (message.type, message.fax_page_count) == ("Fax", 3)


async def test_get_many(fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any) -> None:
    """Twenty in a call; the last alone; each id has its message or its error."""
    ids = [str(100 + n) for n in range(41)]
    for start in (0, 20):
        chosen = ids[start : start + 20]
        parts: list[dict[str, Any]] = [
            {"resourceId": one, "status": 200, "body": {"id": int(one)}} for one in chosen
        ]
        parts[3] = {"resourceId": chosen[3], "status": 404, "body": GONE}
        parts[4] = {"resourceId": chosen[4], "status": 200, "body": {}}
        parts[5] = {"resourceId": chosen[5], "status": 200, "body": {"id": "5\t6"}}
        fake.on("GET", f"{STORE}/{','.join(chosen)}", reply(207, parts))
    fake.on("GET", f"{STORE}/140", reply(404, GONE))
    found = await store.get_many(mailbox, ids)
    assert list(found) == ids
    kinds = {one: type(found[one]) for one in ("100", "103", "104", "105", "127", "140")}
    assert kinds == {
        "100": Message,
        "103": NotFound,
        "104": BadAnswer,
        "105": BadAnswer,
        "127": Message,
        "140": NotFound,
    }
    assert len(fake.calls()) == 3


@pytest.mark.parametrize("place", [Mailbox("7", "x-1"), Mailbox("x", "1"), Mailbox("7", "~~")])
async def test_a_mailbox_cannot_lead_elsewhere(
    fake: Any, store: MessageStore, place: Mailbox
) -> None:
    """Ids of a mailbox are digits, or `~`."""
    with pytest.raises(ValueError, match="not a mailbox"):
        await store.get(place, "1")
    assert fake.seen == []
