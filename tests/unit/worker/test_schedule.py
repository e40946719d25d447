"""Mailboxes are synchronised as often as asked for, as far as RingCentral's limit allows."""

from datetime import timedelta

import pytest

from worker.schedule import poll_seconds, sweep_seconds

QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(("mailboxes", "seconds"), [(1, 900), (100, 900), (375, 900), (1000, 2400)])
def test_a_sweep_takes_at_most_half_the_light_limit(mailboxes: int, seconds: float) -> None:
    """With many mailboxes the sweep slows down instead of using the limit up."""
    assert sweep_seconds(QUARTER, mailboxes) == seconds


@pytest.mark.parametrize(("mailboxes", "seconds"), [(1, 5), (2, 9.6), (10, 48), (500, 1200)])
def test_polling_takes_at_most_a_quarter_of_the_light_limit(mailboxes: int, seconds: float) -> None:
    """One dark mailbox is polled every five seconds, many less often."""
    assert poll_seconds(QUARTER, mailboxes) == seconds


def test_polling_is_never_rarer_than_the_sweep() -> None:
    """A short sweep interval holds for polling too."""
    assert poll_seconds(timedelta(seconds=1), 1) == 2.4


def test_another_limit() -> None:
    """Where RingCentral allows twice as many calls, both are twice as fast."""
    twice = 100 / 60
    assert sweep_seconds(QUARTER, 1000, twice) == 1200
    assert poll_seconds(QUARTER, 10, twice) == 24
