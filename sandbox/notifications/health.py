"""When an address has failed for too long, and when it is well again.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/troubleshooting
"""

import asyncio

from sandbox.answers import ApiError
from sandbox.emulator import Emulator
from sandbox.state.subscriptions import Subscription


class Health:
    """Blacklists subscriptions whose address fails, and lets them recover where that is chosen."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._under_way: set[asyncio.Task[None]] = set()

    def took(self, subscription: Subscription) -> None:
        """The address took a notification."""
        subscription.failing_since = None

    def failed(self, subscription: Subscription, reason: str) -> None:
        """The address did not take a notification."""
        now = self._emulator.clock.time()
        if subscription.failing_since is None:
            subscription.failing_since = now
        long = now - subscription.failing_since >= self._emulator.settings.blacklist_after
        if long and subscription.active:
            self.blacklist(subscription, reason)

    def blacklist(self, subscription: Subscription, reason: str) -> None:
        """Tell a subscription nothing more."""
        emulator = self._emulator
        now = emulator.clock.time()
        subscription.blacklist(emulator.settings.blacklisted_status, reason, now)
        self._look_again_later(subscription)

    async def close(self) -> None:
        """Look after nobody any more."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _look_again_later(self, subscription: Subscription) -> None:
        pause = self._emulator.settings.recover_after
        if pause is not None:
            moment = self._emulator.clock.time() + pause
            self._emulator.clock.call_at(moment, lambda: self._look(subscription))

    def _look(self, subscription: Subscription) -> None:
        task = asyncio.get_running_loop().create_task(self._try(subscription))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _try(self, subscription: Subscription) -> None:
        try:
            await self._emulator.webhooks.shake_hands(subscription.address)
        except ApiError:
            self._look_again_later(subscription)
        else:
            subscription.recover()
