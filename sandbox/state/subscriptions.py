"""The subscriptions of all users, found by their id and by the mailbox they listen to.

Source: https://developers.ringcentral.com/api-reference/Subscriptions/createSubscription
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.answers import ApiError
from sandbox.clock import Clock, stamp
from sandbox.state.event_filters import EventFilter

OnRenewal = Callable[["Subscription"], None]
"""Told of every subscription that is made, renewed or changed."""


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One subscription. Times are seconds since the epoch, `expires_in` is its whole lifetime."""

    owner: tuple[str, str]
    """The extension and the app that made it: nobody else sees it."""
    filters: list[EventFilter]
    disabled: list[dict[str, str]]
    address: str
    verification_token: str | None
    expires_in: int
    created: float
    expires_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Active"
    failing_since: float | None = None
    blacklisted_at: float | None = None
    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether it is told anything."""
        return self.status == "Active"

    def blacklist(self, status: str, reason: str, now: float) -> None:
        """Send nothing more: its address has failed for too long."""
        self.status, self.reason, self.blacklisted_at = status, reason, now

    def recover(self) -> None:
        """Its address is well again."""
        self.status, self.reason = "Active", ""
        self.blacklisted_at = self.failing_since = None

    def to_json(self, api_url: str, now: float) -> dict[str, Any]:
        """The subscription as the API answers it; the verification token is never shown."""
        answer: dict[str, Any] = {
            "uri": f"{api_url}/restapi/v1.0/subscription/{self.id}",
            "id": self.id,
            "creationTime": stamp(self.created),
            "status": self.status,
            "eventFilters": [f.text for f in self.filters],
            "expirationTime": stamp(self.expires_at),
            "expiresIn": max(1, int(self.expires_at - now)),
            "deliveryMode": {
                "transportType": "WebHook",
                "encryption": False,
                "address": self.address,
            },
        }
        if self.disabled:
            answer["disabledFilters"] = self.disabled
        if self.blacklisted_at is not None:
            answer["blacklistedData"] = {
                "reason": self.reason,
                "blacklistedAt": stamp(self.blacklisted_at),
            }
        return answer


class Subscriptions:
    """Every subscription that has not expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.on_renewal: OnRenewal = lambda subscription: None
        self._all: dict[str, Subscription] = {}
        self._by_extension: dict[str, list[tuple[Subscription, EventFilter]]] | None = None

    def __iter__(self) -> Iterator[Subscription]:
        now = self._clock.time()
        for subscription in [s for s in self._all.values() if s.expires_at <= now]:
            self.remove(subscription)
        return iter(list(self._all.values()))

    def of(self, owner: tuple[str, str]) -> list[Subscription]:
        """The subscriptions of one user and app, oldest first."""
        return [s for s in self if s.owner == owner]

    def get(self, subscription_id: str, owner: tuple[str, str]) -> Subscription:
        """One subscription; raises the 404 answer when it is gone, expired or another's."""
        for subscription in self.of(owner):
            if subscription.id == subscription_id:
                return subscription
        raise ApiError(404, "SUB-507", f"Subscription [{subscription_id[:64]}] is not found")

    def add(self, subscription: Subscription) -> None:
        """Keep a new subscription."""
        self._all[subscription.id] = subscription
        self._by_extension = None
        self.on_renewal(subscription)

    def renew(self, subscription: Subscription, expires_in: int) -> None:
        """Let a subscription live for `expires_in` seconds from now."""
        subscription.expires_in = expires_in
        subscription.expires_at = self._clock.time() + expires_in
        self.on_renewal(subscription)

    def change_filters(
        self, subscription: Subscription, filters: list[EventFilter], disabled: Sequence[Any]
    ) -> None:
        """Let a subscription listen to other things."""
        subscription.filters, subscription.disabled = filters, list(disabled)
        self._by_extension = None

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        self._all.pop(subscription.id, None)
        self._by_extension = None

    def listening(self, extension_id: str) -> list[tuple[Subscription, EventFilter]]:
        """The active subscriptions to this mailbox, once for each of their filters."""
        if self._by_extension is None:
            index: dict[str, list[tuple[Subscription, EventFilter]]] = defaultdict(list)
            for subscription in self._all.values():
                for event_filter in subscription.filters:
                    if event_filter.tells_messages and event_filter.extension:
                        index[event_filter.extension].append((subscription, event_filter))
            self._by_extension = dict(index)
        now = self._clock.time()
        return [
            (subscription, event_filter)
            for subscription, event_filter in self._by_extension.get(extension_id, ())
            if subscription.active and subscription.expires_at > now
        ]
