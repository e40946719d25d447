"""Answers of RingCentral that nobody would expect: read, or refused as what they are."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.account import _extensions, _own_mailbox, _subscription, _subscriptions
from message_store.auth import _read_token
from message_store.batch import by_id
from message_store.calls import Answer
from message_store.client import MessageStore
from message_store.errors import BadAnswer, RingCentralError
from message_store.faults import error_of, read_fault
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.pages import read_list, read_sync
from message_store.parsing import NotJsonError, parse_date, parse_json, parse_seconds, retry_after
from message_store.token import Token
from tests.support.hostile import (
    any_text,
    as_bytes,
    at_most,
    bomb,
    numbers,
    objects,
    quick,
    texts,
    values,
)

PARTY = objects("phoneNumber", "name", "extensionNumber", "location")
PART = objects("id", "uri", "type", "contentType", "fileName", "size", "vmDuration")
RECORD = st.fixed_dictionaries(
    {"id": st.integers(1, 10**19)},
    optional={
        "from": PARTY,
        "to": st.lists(PARTY, max_size=2),
        "attachments": st.lists(PART, max_size=3),
        "creationTime": texts | values,
        "subject": texts,
        "type": texts,
        "extra": values,
    },
)
ANY_RECORD = RECORD | values | objects("id", "subject", "creationTime", "from", "to", "attachments")
PAGE = objects("records", "syncInfo", "paging", "navigation", "id", "account", "uri") | (
    st.fixed_dictionaries(
        {
            "records": st.lists(ANY_RECORD, max_size=3),
            "syncInfo": objects("syncToken", "syncTime", "olderRecordsExist")
            | st.fixed_dictionaries({"syncToken": texts, "syncTime": texts | values}),
        },
        optional={"paging": objects("totalPages"), "navigation": objects("nextPage")},
    )
)
READERS: list[Callable[[Answer], Any]] = [
    read_sync,
    lambda answer: read_list(answer, 1, 100),
    lambda answer: _extensions(answer, 1),
    _own_mailbox,
    _subscription,
    _subscriptions,
    lambda answer: by_id(answer, ["1", "2"]),
]


@quick
@given(PAGE | values | st.lists(objects("resourceId", "href", "status", "body"), max_size=3))
def test_every_answer_is_read_or_a_bad_answer(document: Any) -> None:
    """Whatever the members hold, no reader raises anything but BadAnswer."""
    answer = Answer("x", 200, {}, as_bytes(document))
    for read in READERS:
        with contextlib.suppress(BadAnswer):
            read(answer)


@quick
@given(RECORD)
def test_a_message_survives_ledger_and_archive(record: dict[str, Any]) -> None:
    """What is read can be kept, read again as the same, shown, and written for good."""
    message = Message.model_validate(parse_json(as_bytes(record)))
    snapshot = message.model_dump_json(by_alias=True, exclude_unset=True)
    snapshot.encode()
    again = Message.model_validate_json(snapshot)
    assert again.model_dump_json(by_alias=True, exclude_unset=True) == snapshot
    assert (again.id, again.created, again.sender) == (message.id, message.created, message.sender)
    try:
        orjson.dumps(message.to_wire())
    except TypeError:
        json.dumps(message.to_wire())


@quick
@given(st.binary(max_size=200) | values.map(as_bytes), st.integers(100, 999), texts)
def test_every_failed_answer_has_an_error(body: bytes, status: int, header: str) -> None:
    """Any status with any body is one of our errors, in one line that repeats nothing odd."""
    headers = {"Retry-After": header, "RCRequestId": header, "X-Rate-Limit-Window": header}
    error = error_of("x", status, headers, read_fault(body))
    assert isinstance(error, RingCentralError)
    assert str(error).isprintable()


TOKEN = st.fixed_dictionaries(
    {"access_token": st.just("t") | texts, "expires_in": numbers | values},
    optional={"refresh_token": texts, "owner_id": values, "scope": values},
)


@quick
@given(TOKEN | values)
def test_every_token_answer(document: Any) -> None:
    """It is a token, or an answer that holds none."""
    with contextlib.suppress(BadAnswer):
        assert isinstance(_read_token(as_bytes(document), 1.0), Token)


DATES = st.builds(
    "{}{} {} {} {}:{}:{} {}".format,
    st.sampled_from(["", "Mon, ", ", ", "Mon "]),
    st.integers(-1, 99),
    st.sampled_from(["Jan", "Dec", "May-", "x"]),
    st.integers(-1, 99999),
    *[st.integers(-1, 99)] * 3,
    st.sampled_from(["GMT", "+2400", "-9999", "+" + "9" * 30, "", "Z"]),
)


@quick
@given(DATES | texts | st.floats().map(str) | st.integers().map(str))
def test_headers_of_time(header: str) -> None:
    """Nonsense is no time; whatever is one is between nothing and a day."""
    parse_date(header)
    for seconds in (
        parse_seconds(header),
        retry_after({"Retry-After": header}),
        retry_after({"Retry-After": header, "Date": header}),
    ):
        assert seconds is None or 0 <= seconds <= 86400


@pytest.mark.parametrize(
    "body",
    [
        b"1" * 2_000_000,
        b'{"a":%s,"b":1}' % (b"1" * 2_000_000),
        b'{"a":0.%s}' % (b"1" * 2_000_000),
        b"[" * 2_000_000,
        b'{"a":' * 200_000,
        b'"' + b"\\ud800" * 300_000 + b'"',
        b'{"a":1,' * 200_000,
        b"\xef\xbb\xbf" * 500_000,
        b" " * 4_000_000,
        b'{"%s":1}' % (b"\xff" * 1_000_000),
    ],
    ids=lambda body: repr(body[:8]),
)
def test_reading_takes_no_time(body: bytes) -> None:
    """Megabytes of the worst take a moment."""
    begin = time.process_time()
    with contextlib.suppress(NotJsonError):
        parse_json(body)
    assert time.process_time() - begin < 2


def test_one_long_number_costs_its_member_alone() -> None:
    """A number that nothing could write again does not stop a mailbox for ever."""
    long = b"7" * 5000
    body = b'{"syncInfo":{"syncToken":"t"},"records":[{"id":1,"x":%s},{"id":%s},{"id":3}]}'
    page = read_sync(Answer("x", 200, {}, body % (long, long)))
    assert [record.id for record in page.records] == ["1", "3"]


@quick
@given(any_text, any_text)
def test_a_mailbox_is_two_ids(account: str, extension: str) -> None:
    """What stands in the ledger's keys and members holds no separator of theirs."""
    try:
        mailbox = Mailbox(account, extension)
    except ValueError:
        return
    assert Mailbox.parse(str(mailbox)) == mailbox
    assert not set("\t\n:/\0") & set(account + extension)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500, 503])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {"Content-Type": "application/json"}),
        (b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
        (b"<html>", {"Content-Type": "application/json"}),
        (b'{"records": [', {"Content-Type": "application/json"}),
        (b"null", {}),
        (b"[]", {"Content-Type": "text/plain; charset=nonsense"}),
        (b'"' + b"x" * 100 + b'"', {"Content-Type": "\xff/\xfe"}),
        (b"not gzip", {"Content-Encoding": "gzip"}),
        (b"not brotli", {"Content-Encoding": "br"}),
        (b"{}", {"Retry-After": "9" * 400, "X-Rate-Limit-Limit": "1e9", "Date": "yesterday"}),
        (b"{}", {"Retry-After": "-1", "X-Rate-Limit-Window": "nan", "RCRequestId": "<b>"}),
    ],
)
@pytest.mark.usefixtures("without_waiting")
async def test_no_answer_is_an_accident(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    status: int,
    body: bytes,
    headers: dict[str, str],
) -> None:
    """Over real HTTP too, every answer to a sync is an error of ours, in a line that is safe."""
    path = "/restapi/v1.0/account/7/extension/101/message-sync"
    fake.on("GET", path, reply(status, body, headers))
    with pytest.raises(RingCentralError) as caught:
        await store.sync(mailbox, token="t")
    assert str(caught.value).isprintable()
    assert "html" not in str(caught.value)


async def test_a_bomb(fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any) -> None:
    """An answer that grows when it is unpacked is given up at our bound, not at the machine's."""
    path = "/restapi/v1.0/account/7/extension/101/message-sync"
    fake.on("GET", path, reply(200, bomb(), {"Content-Encoding": "gzip"}))
    with at_most(48), pytest.raises(BadAnswer, match="answered more than 16777216 bytes"):
        await store.sync(mailbox, token="t")
    fake.on("GET", path, reply(403, bomb(), {"Content-Encoding": "gzip"}))
    with at_most(48), pytest.raises(RingCentralError):
        await store.sync(mailbox, token="t")
