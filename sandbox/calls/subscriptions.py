"""Subscriptions: created with a handshake, read, changed, renewed, deleted.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

import re
from typing import Any

from aiohttp import web

from sandbox.answers import (
    ApiError,
    app_permission_missing,
    invalid,
    json_answer,
    user_permission_missing,
)
from sandbox.gateway import Exchange, Operation
from sandbox.state.event_filters import REMINDER, EventFilter
from sandbox.state.subscriptions import DEFAULT_LIFETIME, MAX_LIFETIME, Subscription

_PATH = "/restapi/v1.0/subscription"
_VERIFICATION_TOKEN = re.compile(r"[!-~]{1,255}")


async def create_subscription(exchange: Exchange) -> web.StreamResponse:
    """Check what is asked, shake hands with the address, and begin to notify it."""
    _check_transport(exchange)
    asked = await _object(exchange)
    mode = asked.get("deliveryMode")
    if not isinstance(mode, dict) or mode.get("transportType") != "WebHook":
        raise invalid("deliveryMode.transportType")
    address, token = mode.get("address"), mode.get("verificationToken")
    if not isinstance(address, str):
        raise invalid("deliveryMode.address")
    if token is not None and not (isinstance(token, str) and _VERIFICATION_TOKEN.fullmatch(token)):
        raise invalid("deliveryMode.verificationToken")
    expires_in = _lifetime(asked)
    filters, disabled = _filters(exchange, asked.get("eventFilters"), expires_in)
    emulator, owner = exchange.emulator, _owner(exchange)
    if len(emulator.subscriptions.of(owner)) >= emulator.settings.max_subscriptions:
        raise ApiError(403, "SUB-505", "Subscriptions limit exceeded")
    await emulator.webhooks.shake_hands(address)
    now = emulator.clock.time()
    subscription = Subscription(
        owner=owner,
        filters=filters,
        disabled=disabled,
        address=address,
        verification_token=token,
        expires_in=expires_in,
        created=now,
        expires_at=now + expires_in,
    )
    emulator.subscriptions.add(subscription)
    return _shown(exchange, subscription)


async def list_subscriptions(exchange: Exchange) -> web.StreamResponse:
    """The caller's subscriptions."""
    emulator = exchange.emulator
    now = emulator.clock.time()
    found = emulator.subscriptions.of(_owner(exchange))
    return json_answer(
        {
            "uri": emulator.api_url + _PATH,
            "records": [s.to_json(emulator.api_url, now) for s in found],
        }
    )


async def read_subscription(exchange: Exchange) -> web.StreamResponse:
    """One subscription."""
    return _shown(exchange, _named(exchange))


async def update_subscription(exchange: Exchange) -> web.StreamResponse:
    """Change filters and lifetime; always renews, and ignores everything else."""
    _check_transport(exchange)
    subscription = _named(exchange)
    asked = await _object(exchange)
    expires_in = _lifetime(asked)
    if "eventFilters" in asked:
        filters, disabled = _filters(exchange, asked["eventFilters"], expires_in)
        exchange.emulator.subscriptions.change_filters(subscription, filters, disabled)
    subscription.renew(expires_in, exchange.emulator.clock.time())
    return _shown(exchange, subscription)


async def renew_subscription(exchange: Exchange) -> web.StreamResponse:
    """Renew for as long as it was made for."""
    subscription = _named(exchange)
    subscription.renew(subscription.expires_in, exchange.emulator.clock.time())
    return _shown(exchange, subscription)


async def delete_subscription(exchange: Exchange) -> web.StreamResponse:
    """Stop notifying."""
    exchange.emulator.subscriptions.remove(_named(exchange))
    return web.Response(status=204)


def _filters(
    exchange: Exchange, asked: Any, expires_in: int
) -> tuple[list[EventFilter], list[dict[str, str]]]:
    """The filters to keep, and those that are disabled for want of a permission."""
    if not isinstance(asked, list) or not asked or not all(isinstance(f, str) for f in asked):
        raise invalid("eventFilters")
    emulator, session = exchange.emulator, exchange.session
    # the same filter twice is one
    parsed = [
        EventFilter.parse(text).expanded(emulator.account.id, session.extension_id)
        for text in dict.fromkeys(asked)
    ]
    if all(event_filter.kind == REMINDER for event_filter in parsed):
        raise ApiError(400, "SUB-515", "Reminder event filter cannot be the only one")
    kept, disabled = [], []
    for event_filter in parsed:
        _check_filter(exchange, event_filter, expires_in)
        missing = _missing_permission(exchange, event_filter)
        if missing is None:
            kept.append(event_filter)
        else:
            message = f"Extension permission [{missing}] is missing"
            disabled.append({"filter": event_filter.text, "reason": "SUB-412", "message": message})
    if all(event_filter.kind == REMINDER for event_filter in kept):
        permission = "ReadMessages"
        if permission in emulator.faults.denied_to_app:
            raise app_permission_missing(permission)
        raise user_permission_missing(permission)
    return kept, disabled


def _check_filter(exchange: Exchange, event_filter: EventFilter, expires_in: int) -> None:
    emulator, own = exchange.emulator, exchange.session.extension_id
    if event_filter.kind == REMINDER:
        if (
            event_filter.threshold > expires_in / 2
            or event_filter.interval > event_filter.threshold / 2
        ):
            raise ApiError(400, "SUB-516", "Reminder parameters are invalid")
        return
    if event_filter.account not in (None, emulator.account.id):
        raise ApiError(403, "SUB-406", "Extension belongs to another account")
    if event_filter.extension is None:
        return
    if event_filter.extension not in emulator.account.extensions:
        raise ApiError(403, "SUB-406", "Extension belongs to another account")
    if (
        event_filter.needs_messages
        and event_filter.extension != own
        and not emulator.settings.admin
    ):
        raise ApiError(403, "SUB-405", "Messages of other extensions are not allowed for this user")


def _missing_permission(exchange: Exchange, event_filter: EventFilter) -> str | None:
    faults = exchange.emulator.faults
    if event_filter.needs_messages and "ReadMessages" in (
        faults.denied_to_user | faults.denied_to_app
    ):
        return "ReadMessages"
    return None


def _check_transport(exchange: Exchange) -> None:
    if "SubscriptionWebhook" in exchange.emulator.faults.denied_to_app:
        raise ApiError(
            403,
            "SUB-528",
            "Application permission [SubscriptionWebhook] is required for WebHook transport",
        )


def _lifetime(asked: dict[str, Any]) -> int:
    expires_in = asked.get("expiresIn", DEFAULT_LIFETIME)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool) or expires_in < 1:
        raise invalid("expiresIn")
    return min(expires_in, MAX_LIFETIME)


async def _object(exchange: Exchange) -> dict[str, Any]:
    asked = await exchange.json()
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise invalid("body")
    return asked


def _owner(exchange: Exchange) -> tuple[str, str]:
    return exchange.session.extension_id, exchange.session.client_id


def _named(exchange: Exchange) -> Subscription:
    name = exchange.request.match_info["subscriptionId"]
    return exchange.emulator.subscriptions.get(name, _owner(exchange))


def _shown(exchange: Exchange, subscription: Subscription) -> web.Response:
    emulator = exchange.emulator
    return json_answer(subscription.to_json(emulator.api_url, emulator.clock.time()))


_ONE = f"{_PATH}/{{subscriptionId}}"
OPERATIONS = (
    Operation(
        name="createSubscription",
        method="POST",
        path=_PATH,
        answer=create_subscription,
        group="medium",
    ),
    Operation(name="listSubscriptions", method="GET", path=_PATH, answer=list_subscriptions),
    Operation(name="readSubscription", method="GET", path=_ONE, answer=read_subscription),
    Operation(
        name="updateSubscription",
        method="PUT",
        path=_ONE,
        answer=update_subscription,
        group="medium",
    ),
    Operation(
        name="renewSubscription",
        method="POST",
        path=f"{_ONE}/renew",
        answer=renew_subscription,
    ),
    Operation(
        name="deleteSubscription",
        method="DELETE",
        path=_ONE,
        answer=delete_subscription,
        group="medium",
    ),
)
