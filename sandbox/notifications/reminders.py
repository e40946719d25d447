"""Reminders that a subscription is about to expire.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

from typing import Any

from sandbox.emulator import Emulator
from sandbox.notifications.bodies import Tell
from sandbox.state.event_filters import REMINDER, EventFilter
from sandbox.state.subscriptions import Subscription


class Reminders:
    """Tells each subscription with a reminder filter, `threshold` seconds before its end and
    every `interval` seconds from then on, until it is renewed or over."""

    def __init__(self, emulator: Emulator, tell: Tell) -> None:
        self._emulator = emulator
        self._tell = tell
        emulator.subscriptions.on_renewal = self.watch

    def watch(self, subscription: Subscription) -> None:
        """Remember when to remind of this subscription."""
        for event_filter in subscription.filters:
            if event_filter.kind == REMINDER:
                first = subscription.expires_at - event_filter.threshold
                self._remind_at(first, subscription, event_filter)

    def _remind_at(
        self, moment: float, subscription: Subscription, event_filter: EventFilter
    ) -> None:
        end = subscription.expires_at

        def remind() -> None:
            still_there = subscription in list(self._emulator.subscriptions)
            if (
                still_there
                and subscription.expires_at == end
                and event_filter in subscription.filters
            ):
                if subscription.active:
                    self._tell(subscription, event_filter.text, self._body(subscription))
                self._remind_at(moment + event_filter.interval, subscription, event_filter)

        if moment < end:
            self._emulator.clock.call_at(moment, remind)

    def _body(self, subscription: Subscription) -> dict[str, Any]:
        emulator = self._emulator
        now = emulator.clock.time()
        form = emulator.settings.reminder_body
        if form == "empty":
            return {}
        if form == "subscription":
            return subscription.to_json(emulator.api_url, now)
        return {"expiresIn": max(0, round(subscription.expires_at - now))}
