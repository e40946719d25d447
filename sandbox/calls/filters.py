"""Which event filters a subscription gets: parsed, expanded, and refused or disabled.

Source: https://developers.ringcentral.com/guide/notifications/event-filters
"""

from typing import Any

from sandbox.answers import ApiError, app_permission_missing, invalid, user_permission_missing
from sandbox.exchange import Exchange
from sandbox.state.event_filters import REMINDER, EventFilter


def read_filters(
    exchange: Exchange, asked: Any, expires_in: int
) -> tuple[list[EventFilter], list[dict[str, str]]]:
    """The filters to keep, and those that are disabled for want of a permission."""
    if not isinstance(asked, list) or not asked or not all(isinstance(f, str) for f in asked):
        raise invalid("eventFilters")
    # the same filter twice is one
    parsed = [
        EventFilter.parse(text).expanded(exchange.account.id, exchange.caller.extension.id)
        for text in dict.fromkeys(asked)
    ]
    if all(event_filter.kind == REMINDER for event_filter in parsed):
        raise ApiError(400, "SUB-515", "Reminder event filter cannot be the only one")
    kept, disabled = [], []
    for event_filter in parsed:
        missing = _check(exchange, event_filter, expires_in)
        if missing is None:
            kept.append(event_filter)
        else:
            disabled.append(as_disabled(event_filter, missing))
    if all(event_filter.kind == REMINDER for event_filter in kept):
        raise _nothing_left(exchange, parsed)
    return kept, disabled


def as_disabled(event_filter: EventFilter, missing: str, reason: str = "SUB-412") -> dict[str, str]:
    """How the subscription lists a filter whose permission is missing."""
    message = f"Extension permission [{missing}] is missing"
    return {"filter": event_filter.text, "reason": reason, "message": message}


def _check(exchange: Exchange, event_filter: EventFilter, expires_in: int) -> str | None:
    """The permission that is missing, if any; raises the answer for what cannot be at all."""
    if event_filter.kind == REMINDER:
        if (
            event_filter.threshold > expires_in / 2
            or event_filter.interval > event_filter.threshold / 2
        ):
            raise ApiError(400, "SUB-516", "Reminder parameters are invalid")
        return None
    account, extension_id = exchange.account, event_filter.extension
    foreign = event_filter.account not in (None, account.id)
    if foreign or (extension_id is not None and extension_id not in account.extensions):
        raise ApiError(403, "SUB-406", "Extension belongs to another account")
    permissions, needed = exchange.emulator.permissions, event_filter.needs
    if needed is None:
        return None
    if not permissions.of_app(needed) or not permissions.of_user(needed, exchange.caller):
        return needed
    if event_filter.tells_messages and not permissions.of_user(
        needed, exchange.caller, extension_id
    ):
        if exchange.emulator.settings.forbidden_filter == "disable":
            return needed
        message = "Messages of other extensions are not allowed for this user"
        raise ApiError(403, "SUB-405", message)
    return None


def _nothing_left(exchange: Exchange, parsed: list[EventFilter]) -> ApiError:
    needed = next(event_filter.needs for event_filter in parsed if event_filter.needs) or ""
    if not exchange.emulator.permissions.of_app(needed):
        return app_permission_missing(needed)
    return user_permission_missing(needed)
