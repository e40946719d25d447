"""Rate limits per user and group: a sliding window, and a penalty that every request restarts.

Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

import math
from collections import deque
from dataclasses import dataclass, field

from sandbox.answers import ApiError
from sandbox.clock import Clock
from sandbox.settings import GENEROUS_LIMITS, Settings

_ROUNDING = 1e-3
"""Seconds since 1970 plus a minute, less them again, are not exactly a minute."""


@dataclass(slots=True)
class _Bucket:
    taken: deque[float] = field(default_factory=deque)
    penalty_began: float = 0.0
    penalty_until: float = 0.0


class Limits:
    """How many requests each user has left in each group."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def forget(self) -> None:
        """Count from zero: nobody has asked for anything."""
        self._buckets.clear()

    def in_penalty(self, user: str, group: str) -> bool:
        """Whether a request of this user in this group would restart a penalty."""
        return self.penalty_age(user, group) is not None

    def penalty_age(self, user: str, group: str) -> float | None:
        """How long ago the present penalty's first 429 was; None: there is no penalty."""
        bucket, now = self._buckets.get((user, group)), self._clock.time()
        if bucket is None or bucket.penalty_until <= now:
            return None
        return now - bucket.penalty_began

    def take(self, user: str, group: str) -> None:
        """Count one request; raises the 429 answer when there is none left."""
        bucket = self._bucket(user, group)
        punished = bucket.penalty_until > self._clock.time()
        if punished or len(bucket.taken) >= self._limit(group):
            raise self.punish(user, group)
        bucket.taken.append(self._clock.time())

    def punish(self, user: str, group: str) -> ApiError:
        """Begin a penalty, or begin it anew; the 429 answer that says so."""
        bucket, now = self._bucket(user, group), self._clock.time()
        fresh = bucket.penalty_until <= now
        if fresh:
            bucket.penalty_began = now
        if fresh or self._settings.penalty_restarts:
            bucket.penalty_until = now + self._settings.penalty_length
        left = math.ceil(bucket.penalty_until - now - _ROUNDING)
        headers = {"Retry-After": str(left)} if self._settings.retry_after else {}
        return ApiError(429, "CMN-301", "Request rate exceeded", headers=headers)

    def left(self, user: str, group: str) -> int:
        """How many more requests would be answered now."""
        if self.in_penalty(user, group):
            return 0
        return max(0, self._limit(group) - len(self._bucket(user, group).taken))

    def headers(self, user: str, group: str) -> dict[str, str]:
        """The `X-Rate-Limit-*` headers of an answer to this user."""
        return {
            "X-Rate-Limit-Group": group,
            "X-Rate-Limit-Limit": str(self._limit(group)),
            "X-Rate-Limit-Remaining": str(self.left(user, group)),
            "X-Rate-Limit-Window": f"{self._settings.window:g}",
        }

    def _limit(self, group: str) -> int:
        return self._settings.limits.get(group, GENEROUS_LIMITS[group])

    def _bucket(self, user: str, group: str) -> _Bucket:
        bucket = self._buckets.setdefault((user, group), _Bucket())
        oldest = self._clock.time() - self._settings.window
        while bucket.taken and bucket.taken[0] <= oldest:
            bucket.taken.popleft()
        return bucket
