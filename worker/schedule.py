"""How often mailboxes are synchronised without a hint, within RingCentral's light limit."""

from datetime import timedelta

# RingCentral's default for calls of the light group per user and minute.
LIGHT_CALLS_PER_MINUTE = 50
_POLL_SECONDS = 5.0


def sweep_seconds(setting: timedelta, mailboxes: int) -> float:
    """With a subscription: the interval of the sweep; never more than half the light limit."""
    return max(setting.total_seconds(), mailboxes * 60 / (LIGHT_CALLS_PER_MINUTE / 2))


def poll_seconds(setting: timedelta, mailboxes: int) -> float:
    """Without one: every 5 seconds, or as often as a quarter of the light limit allows."""
    within_limit = mailboxes * 60 / (LIGHT_CALLS_PER_MINUTE / 4)
    return min(max(_POLL_SECONDS, within_limit), sweep_seconds(setting, mailboxes))
