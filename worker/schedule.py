"""How often mailboxes are synchronised without a hint, within RingCentral's light limit."""

from datetime import timedelta

# RingCentral's default for calls of the light group per user: 50 a minute.
LIGHT_CALLS_PER_SECOND = 50 / 60
_POLL_SECONDS = 5.0


def sweep_seconds(
    setting: timedelta, mailboxes: int, calls_per_second: float = LIGHT_CALLS_PER_SECOND
) -> float:
    """For a mailbox that is covered, one of so many in all: at most half the light limit."""
    return max(setting.total_seconds(), mailboxes / (calls_per_second / 2))


def poll_seconds(
    setting: timedelta, mailboxes: int, calls_per_second: float = LIGHT_CALLS_PER_SECOND
) -> float:
    """For one of so many that are dark: 5 seconds, or what a quarter of the light limit allows."""
    within_limit = mailboxes / (calls_per_second / 4)
    sweep = sweep_seconds(setting, mailboxes, calls_per_second)
    return min(max(_POLL_SECONDS, within_limit), sweep)
