"""Gathers what happens to mailboxes and tells the subscribers, some of them in vain."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.emulator import Emulator
from sandbox.notifications.bodies import Changes, change_body, envelope, message_body
from sandbox.notifications.webhooks import DeliveryError
from sandbox.state.event_filters import EventFilter
from sandbox.state.messages import StoredMessage
from sandbox.state.subscriptions import Subscription

KEPT = 10_000


@dataclass(slots=True)
class Notified:
    """One notification: what it said, and what became of it ("delivered", "lost", a reason)."""

    subscription_id: str
    notification: dict[str, Any]
    outcome: str = ""


class Outbox:
    """Changes wait here for as long as they are aggregated, notifications until they are posted."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._gathering: dict[tuple[str, str], Changes] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent: deque[Notified] = deque(maxlen=KEPT)
        emulator.announce = self.announce

    def announce(self, message: StoredMessage, new: bool) -> None:
        """Tell whoever listens to the message's mailbox, now or with the next changes."""
        for subscription, event_filter in self._emulator.subscriptions.listening(
            message.extension_id
        ):
            if not event_filter.matches(message, new=new):
                continue
            if event_filter.kind == "message-store":
                self._gather(subscription, event_filter, message, new=new)
            else:
                extension = self._emulator.account.extensions[message.extension_id]
                self.notify(subscription, event_filter.text, message_body(message, extension))

    def notify(self, subscription: Subscription, event: str, body: dict[str, Any]) -> None:
        """Send one notification."""
        now = self._emulator.clock.time()
        notification = envelope(event, subscription.id, subscription.owner[0], body, now)
        self.send(subscription, notification)

    def send(self, subscription: Subscription, notification: dict[str, Any]) -> None:
        """Send a notification as it is, unless it is meant to get lost."""
        notified = Notified(subscription.id, notification)
        self.sent.append(notified)
        if self._emulator.faults.loses_notification():
            notified.outcome = "lost"
            return
        task = asyncio.get_running_loop().create_task(self._post(subscription, notified))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Stop sending; what is under way is broken off."""
        self._gathering.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _gather(
        self,
        subscription: Subscription,
        event_filter: EventFilter,
        message: StoredMessage,
        *,
        new: bool,
    ) -> None:
        key = (subscription.id, event_filter.text)
        changes = self._gathering.get(key)
        if changes is None:
            changes = self._gathering[key] = Changes()
            loop = asyncio.get_running_loop()
            window = self._emulator.settings.aggregation
            loop.call_later(window, self._flush, subscription, event_filter)
        changes.add(message, new=new)

    def _flush(self, subscription: Subscription, event_filter: EventFilter) -> None:
        changes = self._gathering.pop((subscription.id, event_filter.text), None)
        if changes is None or subscription.status != "Active":
            return
        emulator = self._emulator
        extension_id = event_filter.extension or ""
        body = change_body(changes, emulator.account.id, extension_id, emulator.settings)
        self.notify(subscription, event_filter.text, body)

    async def _post(self, subscription: Subscription, notified: Notified) -> None:
        emulator = self._emulator
        try:
            await emulator.webhooks.deliver(
                subscription.address,
                subscription.verification_token,
                orjson.dumps(notified.notification),
            )
        except DeliveryError as failure:
            notified.outcome = str(failure)
            now = emulator.clock.time()
            if subscription.failing_since is None:
                subscription.failing_since = now
            if now - subscription.failing_since >= emulator.settings.blacklist_after:
                subscription.blacklist(notified.outcome, now)
        else:
            notified.outcome = "delivered"
            subscription.failing_since = None
