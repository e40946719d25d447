"""Subscriptions: created with a handshake, read, changed, renewed, deleted.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

import re
from typing import Any

from aiohttp import web

from sandbox.answers import ApiError, invalid, json_answer
from sandbox.calls.filters import read_filters
from sandbox.exchange import Exchange, Operation
from sandbox.state.subscriptions import Subscription

_PATH = "/restapi/v1.0/subscription"
_VERIFICATION_TOKEN = re.compile(r"[!-~]{1,255}")


async def create_subscription(exchange: Exchange) -> web.StreamResponse:
    """Check what is asked, shake hands with the address, and begin to notify it."""
    _check_transport(exchange)
    if exchange.caller.extension.status != "Enabled":
        raise ApiError(403, "SUB-408", "Unknown user")
    asked = await _object(exchange)
    mode = asked.get("deliveryMode")
    if not isinstance(mode, dict) or mode.get("transportType") != "WebHook":
        raise invalid("deliveryMode.transportType")
    address, token = mode.get("address"), mode.get("verificationToken")
    if not isinstance(address, str):
        raise invalid("deliveryMode.address")
    if token is not None and not (isinstance(token, str) and _VERIFICATION_TOKEN.fullmatch(token)):
        raise invalid("deliveryMode.verificationToken")
    expires_in = _lifetime(exchange, asked)
    filters, disabled = read_filters(exchange, asked.get("eventFilters"), expires_in)
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
    expires_in = _lifetime(exchange, asked)
    if "eventFilters" in asked:
        filters, disabled = read_filters(exchange, asked["eventFilters"], expires_in)
        exchange.emulator.subscriptions.change_filters(subscription, filters, disabled)
    exchange.emulator.subscriptions.renew(subscription, expires_in)
    return _shown(exchange, subscription)


async def renew_subscription(exchange: Exchange) -> web.StreamResponse:
    """Renew for as long as it was made for."""
    subscription = _named(exchange)
    exchange.emulator.subscriptions.renew(subscription, subscription.expires_in)
    return _shown(exchange, subscription)


async def delete_subscription(exchange: Exchange) -> web.StreamResponse:
    """Stop notifying."""
    exchange.emulator.subscriptions.remove(_named(exchange))
    return web.Response(status=204)


def _check_transport(exchange: Exchange) -> None:
    if not exchange.emulator.permissions.of_app("SubscriptionWebhook"):
        raise ApiError(
            403,
            "SUB-528",
            "Application permission [SubscriptionWebhook] is required for WebHook transport",
        )


def _lifetime(exchange: Exchange, asked: dict[str, Any]) -> int:
    settings = exchange.emulator.settings
    expires_in = asked.get("expiresIn", settings.subscription_lifetime)
    if not isinstance(expires_in, int) or isinstance(expires_in, bool) or expires_in < 1:
        raise invalid("expiresIn")
    return min(expires_in, settings.max_subscription_lifetime)


async def _object(exchange: Exchange) -> dict[str, Any]:
    asked = await exchange.json()
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise invalid("body")
    return asked


def _owner(exchange: Exchange) -> tuple[str, str]:
    return exchange.session.owner


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
