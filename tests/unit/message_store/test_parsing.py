"""Reading bytes, dates and numbers that come from outside."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.message import Message
from message_store.parsing import (
    LONGEST_PAUSE,
    MOST_OBJECTS,
    NotJsonError,
    parse_date,
    parse_json,
    parse_seconds,
    retry_after,
)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"id": 8234962969801171948}', {"id": 8234962969801171948}),
        (b'{"id": 123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'["cut \\ud83d"]', ["cut \ufffd"]),
        (b'{"\\ud83d": {"a": "\\ud83d\\ude00"}}', {"\ufffd": {"a": "\U0001f600"}}),
        (b'["\xff"]', ["\ufffd"]),
    ],
)
def test_reads_what_strict_parsers_refuse(body: bytes, value: Any) -> None:
    """Huge numbers, byte order marks, broken text and halves of emojis do not cost a document."""
    assert parse_json(body) == value


def test_cuts_what_is_too_deep() -> None:
    """A document of 400 levels is read, and can be written again as part of a message."""
    deep = parse_json(b'{"id": 1, "odd": ' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}")
    assert Message.model_validate(deep).to_wire()["odd"]


def test_reads_nan() -> None:
    """NaN is no JSON, yet no reason to lose the rest."""
    assert math.isnan(parse_json(b'{"a": NaN}')["a"])


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 200_000, b'{"a":' * 200_000])
def test_says_what_is_not_json(body: bytes) -> None:
    """Anything else, however deep, is one and the same error."""
    with pytest.raises(NotJsonError):
        parse_json(body)


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_not(body: bytes) -> None:
    """No bytes raise anything but NotJsonError."""
    try:
        parse_json(body)
    except NotJsonError:
        return


@given(st.text(max_size=30))
def test_any_header_text_is_read_or_none(text: str) -> None:
    """Dates and seconds never raise, and seconds are finite."""
    parse_date(text)
    seconds = parse_seconds(text)
    assert seconds is None or 0 <= seconds <= LONGEST_PAUSE


def test_reads_the_date_of_an_answer() -> None:
    """The form that HTTP prescribes."""
    assert parse_date("Mon, 02 Mar 2026 09:00:00 GMT") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert parse_date(None) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("30", 30.0), ("0", 0.0), ("1e9", LONGEST_PAUSE), ("9" * 400, None)],
        *[("inf", None), ("nan", None), ("-1", None), ("", None), ("soon\udcff", None)],
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
    ],
)
def test_a_pause_is_a_day_at_most(text: str, seconds: float | None) -> None:
    """Whatever Retry-After says, it is a sensible number of seconds or nothing."""
    assert retry_after({"Retry-After": text}) == seconds


@pytest.mark.parametrize("item", [b"[],", b'{"a":{}},', b'{"\\"[":[]},'])
def test_a_document_of_millions_of_objects_is_not_read(item: bytes) -> None:
    """Small objects take hundreds of times their length in memory."""
    with pytest.raises(NotJsonError, match="objects"):
        parse_json(b"[" + item * MOST_OBJECTS + b"1]")


@pytest.mark.parametrize("text", ["[{" * MOST_OBJECTS, '\\"[{' * MOST_OBJECTS])
def test_brackets_in_a_text_are_no_objects(text: str) -> None:
    """Nobody can stop a mailbox by writing brackets."""
    assert parse_json(json.dumps([text]).encode()) == [text]


@pytest.mark.parametrize("odd", [b'"', b'\\"', b'"\\'])
def test_odd_quotes_take_no_time(odd: bytes) -> None:
    """Counting looks at each byte once, also where texts never end."""
    with pytest.raises(NotJsonError):
        parse_json(b'["' + odd * 2_000_000)
