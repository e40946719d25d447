"""Changing messages: the form of each call, and an outcome for each id."""

from typing import Any

import pytest

from message_store.client import MessageStore
from message_store.errors import (
    BadAnswer,
    LimitedMode,
    NotFound,
    PermissionMissing,
    RateLimited,
    ServerError,
)
from message_store.mailbox import Mailbox

STORE = "/restapi/v1.0/account/7/extension/101/message-store"
MULTIPART_JSON = "application/vnd.ringcentral.multipart+json"
GONE = {"errorCode": "CMN-102", "errors": [{"errorCode": "CMN-102"}]}
READ = {"readStatus": "Read"}

pytestmark = pytest.mark.usefixtures("without_waiting")


def ids(count: int) -> list[str]:
    return [str(1000 + n) for n in range(count)]


def done(chosen: list[str]) -> list[dict[str, Any]]:
    return [{"resourceId": one, "status": 200, "body": {"id": int(one)}} for one in chosen]


async def test_one_message_is_a_plain_put(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """One id needs no bulk form, and its refusal is its outcome."""
    fake.on("PUT", f"{STORE}/1000", reply(body={"id": 1000}), reply(404, GONE))
    assert await store.set_read_status(mailbox, ["1000"], "Read") == {"1000": None}
    call = fake.calls()[0]
    assert call.json == READ
    assert call.headers["Content-Type"] == "application/json"
    outcome = await store.set_read_status(mailbox, ["1000"], "Read")
    assert isinstance(outcome["1000"], NotFound)


@pytest.mark.parametrize("count", [2, 50])
async def test_up_to_fifty_go_by_path(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, count: int
) -> None:
    """The entries are in the order of the ids, in RingCentral's own content type."""
    chosen = ids(count)
    fake.on("PUT", f"{STORE}/{','.join(chosen)}", reply(207, done(chosen)))
    assert await store.set_read_status(mailbox, chosen, "Read") == dict.fromkeys(chosen)
    (call,) = fake.calls()
    assert call.json == [{"body": READ}] * count
    assert call.headers["Content-Type"] == MULTIPART_JSON


async def test_more_go_by_body(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """1,001 ids are two calls: a thousand in a body, and the last alone."""
    chosen = ids(1001)
    fake.on("PUT", f"{STORE}/*", reply(207, done(chosen[:1000])))
    fake.on("PUT", f"{STORE}/{chosen[-1]}", reply(body={"id": 1}))
    assert await store.set_read_status(mailbox, chosen, "Read") == dict.fromkeys(chosen)
    first, _ = fake.calls()
    assert first.json == [{"resourceId": one, "body": READ} for one in chosen[:1000]]


async def test_each_id_has_its_own_outcome(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """Failed, done, and left out of the answer."""
    parts = [{"resourceId": "2", "status": 404, "body": GONE}, *done(["1"])]
    fake.on("PUT", f"{STORE}/1,2,3", reply(207, parts))
    outcomes = await store.set_read_status(mailbox, ["1", "2", "3"], "Unread")
    assert outcomes["1"] is None
    assert isinstance(outcomes["2"], NotFound)
    assert isinstance(outcomes["3"], BadAnswer)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "CMN-211", LimitedMode),
        (429, "CMN-301", RateLimited),
        (403, "CMN-408", PermissionMissing),
        (500, "CMN-203", ServerError),
    ],
)
@pytest.mark.parametrize("chosen", [["1"], ["1", "2"]])
async def test_a_call_that_fails_as_a_whole_raises(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    status: int,
    code: str,
    kind: type[Exception],
    chosen: list[str],
) -> None:
    """What is not about one message is the caller's to handle."""
    fake.on("PUT", f"{STORE}/{','.join(chosen)}", reply(status, {"errorCode": code}))
    with pytest.raises(kind):
        await store.set_read_status(mailbox, chosen, "Read")


async def test_what_was_done_before_a_failure_is_told(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """If the second call of a batch fails, the first one's outcomes are not lost."""
    chosen = ids(1100)
    fake.on("PUT", f"{STORE}/*", reply(207, done(chosen[:1000])), reply(429))
    outcomes = await store.set_read_status(mailbox, chosen, "Read")
    assert [outcomes[one] for one in chosen[:1000]] == [None] * 1000
    assert {type(outcomes[one]) for one in chosen[1000:]} == {RateLimited}


async def test_delete_goes_by_path_only(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """Never `*`: without its body such a call would empty the mailbox."""
    chosen = ids(120)
    for start in (0, 50, 100):
        fake.on("DELETE", f"{STORE}/{','.join(chosen[start : start + 50])}", reply(204))
    assert await store.delete(mailbox, chosen) == dict.fromkeys(chosen)
    assert [call.body for call in fake.calls()] == [b"", b"", b""]
    assert [call.query for call in fake.calls()] == [[], [], []]


async def test_delete_for_good(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """`purge` is said in the query; failures of single ids come as 207."""
    parts = [{"resourceId": "1", "status": 204}, {"resourceId": "2", "status": 404, "body": GONE}]
    fake.on("DELETE", f"{STORE}/1,2", reply(207, parts))
    outcomes = await store.delete(mailbox, ["1", "2", "1"], purge=True)
    assert outcomes["1"] is None
    assert isinstance(outcomes["2"], NotFound)
    assert fake.calls()[0].query == [("purge", "true")]


@pytest.mark.parametrize(("purge", "times"), [(False, 1), (True, 3)])
async def test_a_delete_whose_answer_is_lost_is_not_repeated(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, purge: bool, times: int
) -> None:
    """The second delete of a message would purge it; a purge may be repeated."""
    fake.on("DELETE", f"{STORE}/1", reply(500))
    with pytest.raises(ServerError):
        await store.delete(mailbox, ["1"], purge=purge)
    assert len(fake.calls()) == times


async def test_restore(fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any) -> None:
    """A deleted message is made alive, alone or with others."""
    fake.on("PATCH", f"{STORE}/1", reply(body={"id": 1}))
    fake.on("PATCH", f"{STORE}/1,2", reply(207, done(["1", "2"])))
    assert await store.restore(mailbox, ["1"]) == {"1": None}
    assert await store.restore(mailbox, ["1", "2"]) == {"1": None, "2": None}
    alone, both = fake.calls()
    assert alone.json == {"availability": "Alive"}
    assert both.json == [{"body": {"availability": "Alive"}}] * 2


@pytest.mark.parametrize("chosen", [[], ["*"], ["1", "../2"], ["1,2"], "12"])
async def test_what_could_mean_all_messages_is_refused(
    fake: Any, store: MessageStore, mailbox: Mailbox, chosen: Any
) -> None:
    """Before any request, be it only for a token."""
    for change in (
        store.delete(mailbox, chosen),
        store.delete(mailbox, chosen, purge=True),
        store.restore(mailbox, chosen),
        store.set_read_status(mailbox, chosen, "Read"),
    ):
        with pytest.raises(ValueError, match="message id"):
            await change
    assert fake.seen == []


async def test_only_read_and_unread(store: MessageStore, mailbox: Mailbox) -> None:
    """Another status is a mistake of ours."""
    with pytest.raises(ValueError, match="Read or Unread"):
        await store.set_read_status(mailbox, ["1"], "read")
