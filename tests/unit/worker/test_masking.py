"""What is taken out of every text that is kept or logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import any_text, quick
from worker.masking import masked


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no such user +16505550147", "no such user ***0147"),
        ("+1 (650) 555-0147 hung up", "***0147 hung up"),
        ("+44 20 7946 0958", "***0958"),
        ("(650) 555-0147, 650-555-0147, 650.555.0147", "***0147, ***0147, ***0147"),
        ("'Authorization': 'Bearer abc.def-ghi_jkl'", "'Authorization': 'Bearer ***'"),
        ("basic dXNlcjpwYXNz!", "basic ***"),
        ("smtp://user:pa:ss@mail.example.com:25/x", "smtp://***@mail.example.com:25/x"),
        ("redis://:secret@host", "redis://***@host"),
    ],
)
def test_masked(text: str, kept: str) -> None:
    """Numbers keep four digits; tokens, users and passwords nothing."""
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "message 3064938607016 of mailbox 400131426008/400131427008",
        "2026-11-25T10:00:00.000+00:00",
        "2026-11-25T10-00-00.000Z-created",
        "250 2.0.0 OK 1732530000 a1-20020a17090a.2 - gsmtp",
        "4ec5dba6-3ef4-11ea-aaef-0050568ccd07",
        "http://127.0.0.1:8080/webhook",
        "copy both from https://developers.ringcentral.com/my-account.html#/applications",
        "phone@example.com",
        "the app needs basic settings",
        "cost +1.5 and 10+20",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    """Ids, times, codes and addresses without a login are wanted."""
    assert masked(text) == text


@quick
@given(any_text, st.from_regex(r"\A\+[1-9][0-9]{9,13}\Z"), any_text)
def test_no_number_gets_through(before: str, number: str, after: str) -> None:
    """Whatever stands around a number."""
    assert number not in masked(f"{before} {number} {after}")
