"""When an office is open, by the wall clock of its zone."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import Facts
from worker.hours import OfficeHours, WithinHours


def hours(**fields: Any) -> OfficeHours:
    return OfficeHours.model_validate({"zone": "Europe/Berlin", **fields})


@pytest.mark.parametrize(
    ("open_", "at", "is_open"),
    [
        ("Mon-Fri 09:00-17:00", "2026-11-25T09:00:00+01:00", True),
        ("Mon-Fri 09:00-17:00", "2026-11-25T08:59:59+01:00", False),
        ("Mon-Fri 09:00-17:00", "2026-11-25T16:59:59+01:00", True),
        ("Mon-Fri 09:00-17:00", "2026-11-25T17:00:00+01:00", False),
        ("Mon-Fri 09:00-17:00", "2026-11-28T12:00:00+01:00", False),
        ("Sat, Sun 10:00-12:00", "2026-11-29T11:00:00+01:00", True),
        ("Saturday-Monday 10:00-12:00", "2026-11-30T11:00:00+01:00", True),
        ("Saturday-Monday 10:00-12:00", "2026-12-01T11:00:00+01:00", False),
        ("mon,wed-thu 8:00-9:00", "2026-11-26T08:30:00+01:00", True),
        ("mon,wed-thu 8:00-9:00", "2026-11-24T08:30:00+01:00", False),
        # the day that begins is the one that is named
        ("Fri 22:00-06:00", "2026-11-28T05:59:00+01:00", True),
        ("Fri 22:00-06:00", "2026-11-27T05:59:00+01:00", False),
        ("Sun 22:00-06:00", "2026-11-30T01:00:00+01:00", True),
        ("Mon-Sun 00:00-24:00", "2026-11-25T00:00:00+01:00", True),
        ("Mon-Sun 00:00-24:00", "2026-11-25T23:59:59+01:00", True),
        # told in another zone, and on another day there
        ("Thu 00:00-01:00", "2026-11-25T23:30:00Z", True),
    ],
)
def test_opening_times(open_: str, at: str, is_open: bool) -> None:
    """Days and times are those of the wall clock; the last minute is closed already."""
    assert hours(open=[open_]).are_open(datetime.fromisoformat(at)) is is_open


@pytest.mark.parametrize("days", ["Mo", "Monthly", "Montag", "Sunset", "Mon-", "Mon,,Tue"])
def test_what_only_begins_like_a_day_is_none(days: str) -> None:
    """Days are named in English, by three letters or more of them."""
    with pytest.raises(ValidationError, match="is no opening time"):
        hours(open=[f"{days} 09:00-17:00"])
    assert hours(open=["Mon, Tues-Thurs, Saturday 09:00-17:00"])


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-28T08:30:00Z", True),  # winter: 9:30
        ("2026-03-28T07:30:00Z", False),
        ("2026-03-29T07:30:00Z", True),  # the clocks went forward this night: 9:30
        ("2026-03-29T15:30:00Z", False),
        ("2026-10-25T08:30:00Z", True),  # and back: 9:30
        ("2026-10-25T07:30:00Z", False),
    ],
)
def test_daylight_saving_time(at: str, is_open: bool) -> None:
    """The office opens at nine by its own clock, in summer and winter."""
    office = hours(open=["Mon-Sun 09:00-17:00"])
    assert office.are_open(datetime.fromisoformat(at)) is is_open


def test_nothing_begins_on_a_holiday() -> None:
    """A holiday is closed; a night that began before it goes on into its morning."""
    office = hours(open=["Mon-Fri 09:00-17:00", "Thu-Fri 22:00-06:00"], holidays=["2026-12-25"])
    # Friday, the 25th
    assert not office.are_open(datetime.fromisoformat("2026-12-25T10:00:00+01:00"))
    assert office.are_open(datetime.fromisoformat("2026-12-25T05:00:00+01:00"))
    assert not office.are_open(datetime.fromisoformat("2026-12-25T23:00:00+01:00"))
    assert not office.are_open(datetime.fromisoformat("2026-12-26T05:00:00+01:00"))


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_the_ends_of_the_calendar(at: str, zone: str) -> None:
    """A time that is none in the zone is no error: such times come from outside."""
    office = hours(zone=zone, open=["Mon-Sun 00:00-24:00"])
    assert office.are_open(datetime.fromisoformat(at)) in {True, False}
    message = Message.model_validate({"id": 1, "creationTime": at})
    condition = WithinHours(("x",), {"x": office})
    assert condition.had(Facts(message, Mailbox("1", "2")))
