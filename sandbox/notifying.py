"""The Python face's sentences on notifications that go astray and subscriptions that end."""

from collections.abc import Iterator

from sandbox.calls.filters import as_disabled
from sandbox.face import Face
from sandbox.state.subscriptions import Subscription


class Notifying(Face):
    """Disturbs what subscribers are told. Without an id, all subscriptions are meant."""

    def drops_notifications(self, count: int = 1) -> None:
        """The next notifications never arrive."""
        self.server.emulator.faults.count("lost notification", count)

    def doubles_notifications(self, count: int = 1) -> None:
        """The next notifications arrive twice."""
        self.server.emulator.faults.count("doubled notification", count)

    def reorders_notifications(self, count: int = 1) -> None:
        """The next notifications arrive after the one that follows them, the last first."""
        self.server.emulator.faults.count("held notification", count)

    def delays_notifications(self, seconds: float) -> None:
        """Every notification is so late, until `recovers`."""
        self.server.emulator.faults.notification_delay = seconds

    async def repeats_notification(self, times: int = 1) -> None:
        """The last notification is sent again, word for word; raises LookupError without one."""
        outbox = self.server.outbox
        if not outbox.sent:
            raise LookupError("no notification has been sent yet")
        last = outbox.sent[-1]
        for subscription in self.server.emulator.subscriptions:
            if subscription.id == last.subscription_id:
                for _ in range(times):
                    outbox.send(subscription, last.notification)

    async def blacklists(self, subscription_id: str | None = None) -> None:
        """A subscription is blacklisted, as if its address had failed for too long."""
        reason = "I/O operation is failed. Details: [Read timed out]"
        for subscription in self._meant(subscription_id):
            self.server.outbox.health.blacklist(subscription, reason)

    async def expires_subscription(self, subscription_id: str | None = None) -> None:
        """A subscription's time is over: it answers 404."""
        for subscription in self._meant(subscription_id):
            subscription.expires_at = self.server.emulator.clock.time()

    async def deletes_subscription(self, subscription_id: str | None = None) -> None:
        """Somebody deletes a subscription."""
        for subscription in self._meant(subscription_id):
            self.server.emulator.subscriptions.remove(subscription)

    async def disables_filter(self, part: str, *, reason: str = "SUB-412") -> None:
        """Filters with `part` in them become disabled, until a PUT asks for them again."""
        subscriptions = self.server.emulator.subscriptions
        for subscription in subscriptions:
            lost = [f for f in subscription.filters if part in f.text]
            kept = [f for f in subscription.filters if f not in lost]
            disabled = [as_disabled(f, f.needs or "", reason) for f in lost]
            subscriptions.change_filters(subscription, kept, [*subscription.disabled, *disabled])

    def _meant(self, subscription_id: str | None) -> Iterator[Subscription]:
        found = [s for s in self.server.emulator.subscriptions if subscription_id in (None, s.id)]
        if not found:
            raise LookupError(f"no such subscription: {subscription_id or 'there are none'}")
        return iter(found)
