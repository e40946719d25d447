"""Calls: what is repeated, what is not, and where the token may go."""

import threading
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer

from message_store import http, transport
from message_store.calls import Call
from message_store.client import MessageStore
from message_store.errors import (
    BadAnswer,
    ConnectionFailed,
    LimitedMode,
    NotFound,
    RateLimited,
    RingCentralError,
    ServerError,
    TokenRejected,
)
from message_store.limits import NO_ANSWER, Permit
from message_store.mailbox import Mailbox

MESSAGE = "/restapi/v1.0/account/7/extension/101/message-store/5"
GONE = {"errorCode": "CMN-102", "errors": [{"errorCode": "CMN-102"}]}
MAINTENANCE = {"errorCode": "CMN-211", "errors": [{"errorCode": "CMN-211"}]}

pytestmark = pytest.mark.usefixtures("without_waiting")


async def broken_off(request: web.Request) -> web.StreamResponse:
    """Breaks the connection off in the middle of the body."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id": 5')
    assert request.transport is not None
    request.transport.abort()
    return response


class RecordedLimits:
    """Limits that note what they are told."""

    def __init__(self, refuse: str | None = None) -> None:
        self.told: list[tuple[str, int | None, str | None]] = []
        self.permits: list[Permit] = []
        self.refuse = refuse

    async def before(self, permit: Permit) -> None:
        self.permits.append(permit)
        self.told.append((permit.operation, None, None))
        if permit.operation == self.refuse:
            raise RateLimited("paused", retry_after=40)

    async def after(self, permit: Permit, status: int, headers: Mapping[str, str]) -> None:
        self.told.append((permit.operation, status, headers.get("x-rate-limit-group")))


async def test_a_passing_failure_is_repeated(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """A broken connection and a 502 page cost a read nothing but time."""
    fake.on("GET", MESSAGE, broken_off, reply(502, b"<html>"), reply(body={"id": 5}))
    assert (await store.get(mailbox, "5")).id == "5"
    assert len(fake.calls(MESSAGE)) == 3


@pytest.mark.parametrize(
    ("answers", "kind", "times"),
    [
        ([(500, b"")], ServerError, 3),
        ([(503, b"")], ServerError, 3),
        ([(503, MAINTENANCE)], LimitedMode, 1),
        ([(429, b"")], RateLimited, 1),
        ([(404, GONE)], NotFound, 1),
        ([(500, b""), (404, GONE)], NotFound, 2),
        ([(200, b"<html>")], BadAnswer, 1),
        ([(200, b"[]")], BadAnswer, 1),
        ([(200, {"no": "id"})], BadAnswer, 1),
    ],
)
async def test_how_often_a_failing_read_is_sent(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    answers: list[tuple[int, Any]],
    kind: type[RingCentralError],
    times: int,
) -> None:
    """Faults three times; refusals, maintenance and rate limits once."""
    fake.on("GET", MESSAGE, *(reply(status, body) for status, body in answers))
    with pytest.raises(kind) as caught:
        await store.get(mailbox, "5")
    assert type(caught.value) is kind
    assert len(fake.calls(MESSAGE)) == times


@pytest.mark.parametrize(("seconds", "times"), [("0.01", 3), ("6", 1), ("3600", 1)])
async def test_a_short_retry_after_is_waited_out_a_long_one_is_told(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, seconds: str, times: int
) -> None:
    """Long waits belong to the caller, who has other work."""
    fake.on("GET", MESSAGE, reply(503, headers={"Retry-After": seconds}))
    with pytest.raises(ServerError) as caught:
        await store.get(mailbox, "5")
    assert caught.value.retry_after == float(seconds)
    assert len(fake.calls(MESSAGE)) == times


async def test_a_subscription_is_not_created_twice(
    fake: Any, store: MessageStore, reply: Any
) -> None:
    """A create whose answer is lost is not repeated."""
    fake.on("POST", "/restapi/v1.0/subscription", reply(500))
    with pytest.raises(ServerError):
        await store.create_subscription(["/x"], "https://example.com", "secret", 60)
    assert len(fake.calls()) == 1


async def test_a_401_is_repeated_once_with_a_new_token(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """The token is replaced, the call repeated, and the caller sees nothing of it."""
    fake.on("GET", MESSAGE, reply(401, {"errorCode": "TokenExpired"}), reply(body={"id": 5}))
    await store.get(mailbox, "5")
    tokens = [call.headers["Authorization"] for call in fake.calls(MESSAGE)]
    assert tokens == ["Bearer token-1", "Bearer token-2"]


async def test_a_fresh_token_that_is_refused_is_an_error(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """No endless logins."""
    body = {"errors": [{"errorCode": "OAU-128"}]}
    fake.on("GET", MESSAGE, reply(401, body, {"RCRequestId": "abc"}))
    with pytest.raises(TokenRejected, match=r"401 OAU-128, RCRequestId abc"):
        await store.get(mailbox, "5")
    assert len(fake.calls(MESSAGE)) == 2
    assert len(fake.logins) == 2


async def test_limits_hear_of_every_request(
    fake: Any, make_store: Any, mailbox: Mailbox, reply: Any
) -> None:
    """Before and after each request, repeats and the token's own included."""
    limits = RecordedLimits()
    group = {"X-Rate-Limit-Group": "light"}
    fake.on("GET", MESSAGE, reply(500), reply(body={"id": 5}, headers=group))
    await make_store(limits).get(mailbox, "5")
    assert limits.told == [
        ("token", None, None),
        ("token", 200, None),
        ("message", None, None),
        ("message", 500, None),
        ("message", None, None),
        ("message", 200, "light"),
    ]
    assert len({permit.id for permit in limits.permits}) == 3


async def test_a_request_without_an_answer_is_told_too(
    fake: Any, make_store: Any, mailbox: Mailbox
) -> None:
    """The limits hear of a connection that broke, so that they do not wait for its answer."""

    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    limits = RecordedLimits()
    fake.on("GET", MESSAGE, hang_up)
    with pytest.raises(ConnectionFailed):
        await make_store(limits).get(mailbox, "5")
    assert ("message", NO_ANSWER, None) in limits.told


async def test_a_permit_says_for_whom(
    fake: Any, make_store: Any, mailbox: Mailbox, reply: Any
) -> None:
    """The limits learn whose mailbox a request is for, and whether it can wait."""
    limits = RecordedLimits()
    fake.on("GET", MESSAGE, reply(body={"id": 5}))
    store = make_store(limits)
    await store.in_bulk().get(mailbox, "5")
    await store.get(mailbox, "5")
    assert [(permit.mailbox, permit.bulk) for permit in limits.permits[-2:]] == [
        (str(mailbox), True),
        (str(mailbox), False),
    ]


async def test_within_a_pause_nothing_is_sent(fake: Any, make_store: Any, mailbox: Mailbox) -> None:
    """A pause that the limits announce goes to the caller as it is."""
    with pytest.raises(RateLimited) as caught:
        await make_store(RecordedLimits(refuse="message")).get(mailbox, "5")
    assert caught.value.retry_after == 40
    assert fake.calls() == []


@pytest.fixture
async def elsewhere() -> AsyncIterator[Any]:
    """A host that is none of ours; `seen` are the requests that came to it."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"id": 5})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        application.freeze()
        yield str(server.make_url("")).rstrip("/"), seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_token_never_follows_a_redirect_to_another_host(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, elsewhere: Any, status: int
) -> None:
    """Nothing at all is sent to a host that is not configured."""
    address, seen = elsewhere
    fake.on("GET", MESSAGE, reply(status, headers={"Location": f"{address}/5"}))
    with pytest.raises(BadAnswer, match="not a configured RingCentral host"):
        await store.get(mailbox, "5")
    assert seen == []


async def test_nor_does_a_login(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, elsewhere: Any
) -> None:
    """Client secret and JWT stay with the configured host too."""
    address, seen = elsewhere
    fake.on("POST", "/restapi/oauth/token", reply(307, headers={"Location": f"{address}/t"}))
    with pytest.raises(BadAnswer):
        await store.get(mailbox, "5")
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_among_our_hosts_are_followed(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, status: int
) -> None:
    """A read goes where the server sends it, absolute or relative."""
    fake.on("GET", MESSAGE, reply(status, headers={"Location": f"{fake.url}/moved?a=b"}))
    fake.on("GET", "/moved", reply(status, headers={"Location": "/again"}))
    fake.on("GET", "/again", reply(body={"id": 5}))
    assert (await store.get(mailbox, "5")).id == "5"
    assert fake.calls("/moved")[0].query == [("a", "b")]


async def test_a_change_keeps_its_method_along_a_redirect(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """307 and 308 are followed as they are; others would turn the change into a read."""
    fake.on("PUT", MESSAGE, reply(308, headers={"Location": "/moved"}))
    fake.on("PUT", "/moved", reply(body={"id": 5}))
    assert await store.set_read_status(mailbox, ["5"], "Read") == {"5": None}
    assert fake.calls("/moved")[0].json == {"readStatus": "Read"}
    fake.on("PUT", MESSAGE, reply(302, headers={"Location": "/moved"}))
    with pytest.raises(BadAnswer):
        await store.set_read_status(mailbox, ["5"], "Read")


@pytest.mark.parametrize("target", [MESSAGE, "http://[", "ftp://x/", "//evil.example/x", ""])
async def test_senseless_redirects_end(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, target: str
) -> None:
    """A circle, or no address at all, is a bad answer."""
    fake.on("GET", MESSAGE, reply(302, headers={"Location": target}))
    with pytest.raises(BadAnswer):
        await store.get(mailbox, "5")


async def test_an_answer_without_end_is_cut_off(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No more is read than a sensible answer can have."""
    monkeypatch.setattr(transport.read_whole, "__defaults__", (1000,))
    fake.on("GET", MESSAGE, reply(body=b'{"id": 5}' + b" " * 2000))
    with pytest.raises(BadAnswer, match="more than 1000 bytes"):
        await store.get(mailbox, "5")


async def test_a_long_answer_is_read_beside_the_loop(
    fake: Any, store: MessageStore, reply: Any
) -> None:
    """Others do not wait for its records; a short one is not worth a thread."""
    call = Call("message", "GET", MESSAGE)

    async def reader_of(body: bytes) -> threading.Thread:
        fake.on("GET", MESSAGE, reply(body=body))
        return await store._http.read(call, lambda answer: threading.current_thread())

    assert await reader_of(b" " * http.LARGEST_AT_ONCE) is threading.main_thread()
    assert await reader_of(b" " * (http.LARGEST_AT_ONCE + 1)) is not threading.main_thread()


def test_the_largest_answer_fits_into_a_small_worker() -> None:
    """A page of 1000 records has about 2 MB; twenty mailboxes are synchronised at once."""
    assert transport.read_whole.__defaults__ == (16 * 1024 * 1024,)


async def test_a_huge_error_page_is_still_an_error(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """The status decides when the body is of no use."""
    fake.on("GET", MESSAGE, reply(404, b"x" * 1_000_000))
    with pytest.raises(NotFound):
        await store.get(mailbox, "5")


async def test_a_server_that_says_nothing_is_given_up(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    never: Any,
) -> None:
    """There is a time limit, and its error names the host and no address."""
    monkeypatch.setattr(http, "CALL_TIMEOUT", ClientTimeout(total=0.05))
    fake.on("GET", MESSAGE, never)
    with pytest.raises(ConnectionFailed) as caught:
        await store.get(mailbox, "5")
    assert str(caught.value) == "127.0.0.1: no answer in time"


async def test_the_servers_clock_is_known(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """It is taken from the newest answer and goes on from there."""
    assert store.server_time() is None
    date = {"Date": "Mon, 02 Mar 2026 09:00:00 GMT"}
    fake.on("GET", MESSAGE, reply(body={"id": 5}, headers=date))
    await store.get(mailbox, "5")
    time = store.server_time()
    assert time is not None
    assert 0 < (time - datetime(2026, 3, 2, 9, tzinfo=UTC)).total_seconds() < 5
