"""Moments as options of the command line take them."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from ringpost.periods import given_moment, past_moment
from ringpost.refusal import Refusal

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_how_far_back_a_date_and_a_time_are_moments() -> None:
    """Every command that asks for a moment takes all three, whether it is in the past or not."""
    assert past_moment("2d", "--since", NOW) == NOW - timedelta(days=2)
    assert past_moment("2026-11-20T10:00:00Z", "--since", NOW) == NOW - timedelta(days=5)
    local = datetime(2026, 11, 1).astimezone(UTC)  # where the reader is
    assert past_moment("2026-11-01", "--since", NOW) == given_moment("2026-11-01") == local
    assert datetime.now(UTC) - given_moment("2h") < timedelta(hours=2, minutes=1)
    assert given_moment("2999-01-01") > NOW


@pytest.mark.parametrize("text", ["tomorow", "", "9000y", "0d", "0001-01-01", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    """In words with an example, never with a traceback."""
    with pytest.raises(Refusal, match="is no time; write how far back"):
        past_moment(text, "--since", NOW)
    with pytest.raises(typer.BadParameter, match="is no time; write how far back"):
        given_moment(text)


def test_the_future_is_no_past() -> None:
    """Where only what is over makes sense, a date to come is a mistake."""
    with pytest.raises(Refusal, match="lies in the future"):
        past_moment("2999-01-01", "--since", NOW)
