"""The Python face's sentences on what goes wrong."""

from collections.abc import Mapping

from sandbox.face import Face
from sandbox.faults import Fault


class Failing(Face):
    """Lets requests, notifications, permissions and tokens fail, until `recovers`."""

    def fails(
        self,
        part: str,
        *,
        status: int = 503,
        code: str = "CMN-203",
        times: int = 1,
        retry_after: float | None = None,
        method: str | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The next requests with `part` in their path fail so; status 0 breaks them off."""
        wait = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        fault = Fault(
            part=part,
            status=status,
            code=code,
            times=times,
            method=method,
            body=body,
            headers={**wait, **(headers or {})},
        )
        self.server.emulator.faults.add(fault)

    def breaks_off(self, part: str, *, times: int = 1) -> None:
        """The next requests with `part` in their path lose their connection unanswered."""
        self.fails(part, status=0, times=times)

    def drops_notifications(self, count: int = 1) -> None:
        """The next notifications never arrive."""
        self.server.emulator.faults.lost_notifications += count

    def truncates_downloads(self, count: int = 1) -> None:
        """The next downloads break off half way."""
        self.server.emulator.faults.truncated_downloads += count

    def denies(self, permission: str, *, to: str = "user") -> None:
        """The "user" (CMN-408) or the "app" (CMN-401) lacks a permission from now on."""
        faults = self.server.emulator.faults
        (faults.denied_to_app if to == "app" else faults.denied_to_user).add(permission)

    def enters_limited_mode(self, retry_after: float = 60) -> None:
        """Reads work, writes answer 503 CMN-211, until `recovers`."""
        self.server.emulator.faults.limited_mode = retry_after

    def recovers(self) -> None:
        """No fault is left, every permission is granted."""
        self.server.emulator.faults.clear()

    def limits_to(self, *, window: float | None = None, **limits: int) -> None:
        """Other rate limits from now on: `limits_to(light=5, window=2)`."""
        self.server.emulator.limits.change(limits, window)

    async def revokes_tokens(self) -> None:
        """Every session ends: tokens answer OAU-213."""
        self.server.emulator.tokens.revoke_all()

    async def forgets_sync_tokens(self) -> None:
        """Every sync token given so far answers MSG-333."""
        self.server.emulator.sync_tokens.forget()

    async def passes(self, seconds: float) -> None:
        """Time passes at once: tokens expire, subscriptions end, penalties are over."""
        self.server.emulator.clock.advance(seconds)

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
