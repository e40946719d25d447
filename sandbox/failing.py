"""The Python face's sentences on calls that fail, limits, and time that passes."""

from collections.abc import Mapping

from sandbox.face import Face
from sandbox.faults import Fault
from sandbox.random_failures import RandomFailures
from sandbox.request_log import LoggedRequest


class Failing(Face):
    """Lets calls to the API and the media host fail, until `recovers`."""

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
        fault = Fault(
            part=part,
            status=status,
            code=code,
            times=times,
            method=method,
            body=body,
            headers={**_waiting(retry_after), **(headers or {})},
        )
        self.server.emulator.faults.add(fault)

    def fails_every(self, every: int, *, seed: int = 0) -> None:
        """Every so many calls fail in a random documented way that fits the operation."""
        self.server.emulator.faults.random = RandomFailures(every, seed)

    def breaks_off(self, part: str, *, times: int = 1) -> None:
        """The next requests with `part` in their path lose their connection unanswered."""
        self.fails(part, status=0, times=times)

    def hits_another_limit(
        self,
        part: str = "",
        *,
        code: str = "CMN-302",
        times: int = 1,
        retry_after: float | None = None,
    ) -> None:
        """The next requests answer 429 without `X-Rate-Limit-*`: another limit than the user's."""
        fault = Fault(
            part=part,
            status=429,
            code=code,
            message="Request rate exceeded",
            times=times,
            headers=_waiting(retry_after),
            rate_headers=False,
        )
        self.server.emulator.faults.add(fault)

    def truncates_downloads(self, count: int = 1) -> None:
        """The next downloads break off half way."""
        self.server.emulator.faults.count("truncated download", count)

    def enters_limited_mode(self, retry_after: float = 60) -> None:
        """Reads work, writes answer 503 CMN-211, until `leaves_limited_mode` or `recovers`."""
        self.server.emulator.faults.limited_mode = retry_after

    def leaves_limited_mode(self) -> None:
        """Writes work again."""
        self.server.emulator.faults.limited_mode = None

    def recovers(self) -> None:
        """No fault is left, every permission is granted."""
        self.server.emulator.faults.clear()
        self.server.emulator.permissions.clear()

    def limits_to(
        self,
        *,
        light: int | None = None,
        medium: int | None = None,
        heavy: int | None = None,
        auth: int | None = None,
        window: float | None = None,
    ) -> None:
        """Other rate limits from now on, counted from zero."""
        settings = self.server.emulator.settings
        told = {"light": light, "medium": medium, "heavy": heavy, "auth": auth}
        limits = {group: limit for group, limit in told.items() if limit is not None}
        settings.change({"limits": {**settings.limits, **limits}})
        if window is not None:
            settings.change({"window": window})
        self.server.emulator.limits.forget()

    async def passes(self, seconds: float) -> None:
        """Time passes at once: tokens expire, subscriptions end, penalties are over."""
        self.server.emulator.clock.advance(seconds)

    def sent_in_penalty(self, under_way: float = 0.0) -> list[LoggedRequest]:
        """What was sent inside a penalty; see `RequestLog.sent_in_penalty`."""
        return self.server.emulator.requests.sent_in_penalty(under_way)

    def refused(self, group: str | None = None) -> list[LoggedRequest]:
        """What was answered with 429, in one group or in all."""
        return self.server.emulator.requests.refused(group)


def _waiting(retry_after: float | None) -> dict[str, str]:
    return {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
