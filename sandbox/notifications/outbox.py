"""Gathers what happens to mailboxes and extensions and tells the subscribers, some in vain."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.emulator import Emulator
from sandbox.notifications.bodies import (
    Changes,
    change_body,
    envelope,
    extension_body,
    message_body,
)
from sandbox.notifications.health import Health
from sandbox.notifications.reminders import Reminders
from sandbox.notifications.webhooks import DeliveryError
from sandbox.state.account import Extension
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
    sent: float = 0.0
    """When it was posted last, in epoch seconds of this machine's clock."""
    seconds: float = 0.0
    """How long the address took for its answer."""


class Outbox:
    """Changes wait here for as long as they are aggregated, notifications until they are posted."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._gathering: dict[tuple[str, str], Changes] = {}
        self._held: list[tuple[Subscription, Notified]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent: deque[Notified] = deque(maxlen=KEPT)
        self.health = Health(emulator)
        self._reminders = Reminders(emulator, self.notify)
        emulator.announce = self.announce
        emulator.announce_extension = self.announce_extension

    def announce(self, message: StoredMessage, new: bool) -> None:
        """Tell whoever listens to the message's mailbox, with the next changes or at once."""
        for subscription, event_filter in self._emulator.subscriptions.listening(
            message.extension_id
        ):
            counts = event_filter.kind == "message-store"
            if counts and event_filter.matches(message, new=new):
                self._gather(subscription, event_filter, message, new=new)
        if new:
            self.tell_whole(message)

    def tell_whole(self, message: StoredMessage) -> None:
        """Tell whoever wants whole messages of this kind."""
        extension = self._emulator.extension(message.extension_id)
        body = message_body(message, extension, self._emulator.settings)
        for subscription, event_filter in self._emulator.subscriptions.listening(extension.id):
            if event_filter.kind != "message-store" and event_filter.matches(message, new=True):
                self.notify(subscription, event_filter.text, body)

    def announce_extension(self, extension: Extension, change: str) -> None:
        """Tell whoever listens to the list of extensions, or to this one."""
        for subscription in self._emulator.subscriptions:
            for event_filter in subscription.filters:
                if subscription.active and event_filter.tells_extension(
                    extension.account_id, extension.id
                ):
                    body = extension_body(event_filter.kind, extension.id, change)
                    self.notify(subscription, event_filter.text, body)

    def notify(self, subscription: Subscription, event: str, body: dict[str, Any]) -> None:
        """Send one notification."""
        now, settings = self._emulator.clock.time(), self._emulator.settings
        self.send(subscription, envelope(event, subscription, body, now, settings))

    def send(self, subscription: Subscription, notification: dict[str, Any]) -> None:
        """Send a notification as it is, unless it is meant to get lost, wait or come twice."""
        faults = self._emulator.faults
        notified = Notified(subscription.id, notification)
        self.sent.append(notified)
        if faults.takes("lost notification"):
            notified.outcome = "lost"
        elif faults.takes("held notification"):
            self._held.append((subscription, notified))
        else:
            self._begin(subscription, notified)
            if faults.takes("doubled notification"):
                self._begin(subscription, notified)
            self.release()

    def release(self) -> None:
        """Send what was held back, the last first."""
        held, self._held = self._held, []
        for subscription, notified in reversed(held):
            self._begin(subscription, notified)

    async def close(self) -> None:
        """Stop sending; what is under way is broken off."""
        self._gathering.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.health.close()

    def _begin(self, subscription: Subscription, notified: Notified) -> None:
        task = asyncio.get_running_loop().create_task(self._post(subscription, notified))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

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
        if changes is None or not subscription.active:
            return
        extension_id, account_id = event_filter.extension or "", event_filter.account or ""
        body = change_body(changes, account_id, extension_id, self._emulator.settings)
        self.notify(subscription, event_filter.text, body)

    async def _post(self, subscription: Subscription, notified: Notified) -> None:
        settings, faults = self._emulator.settings, self._emulator.faults
        if faults.notification_delay:
            await asyncio.sleep(faults.notification_delay)
        for left in reversed(range(settings.notification_tries)):
            notified.sent, began = time.time(), time.monotonic()
            try:
                await self._emulator.webhooks.deliver(
                    subscription.address,
                    subscription.verification_token,
                    orjson.dumps(notified.notification),
                )
            except DeliveryError as failure:
                notified.outcome = str(failure)
                notified.seconds = time.monotonic() - began
                self.health.failed(subscription, notified.outcome)
                if not subscription.active:
                    return
                if left:
                    await asyncio.sleep(settings.notification_pause)
            else:
                notified.outcome = "delivered"
                notified.seconds = time.monotonic() - began
                self.health.took(subscription)
                return
