"""Rate limits per user and group: a sliding window, and a penalty that every request restarts.

Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.answers import ApiError
from sandbox.clock import Clock
from sandbox.settings import GENEROUS_LIMITS


@dataclass(slots=True)
class _Bucket:
    taken: deque[float] = field(default_factory=deque)
    penalty_until: float = 0.0


class Limits:
    """How many requests each user has left in each group."""

    def __init__(self, clock: Clock, limits: Mapping[str, int], window: float) -> None:
        self._clock = clock
        self._limits = {**GENEROUS_LIMITS, **limits}
        self._window = window
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def change(self, limits: Mapping[str, int], window: float | None) -> None:
        """Allow other numbers of requests from now on; what was counted is forgotten."""
        self._limits.update(limits)
        self._window = window or self._window
        self._buckets.clear()

    def in_penalty(self, user: str, group: str) -> bool:
        """Whether a request of this user in this group would restart a penalty."""
        bucket = self._buckets.get((user, group))
        return bucket is not None and bucket.penalty_until > self._clock.time()

    def take(self, user: str, group: str) -> None:
        """Count one request; raises the 429 answer when there is none left."""
        now = self._clock.time()
        bucket = self._buckets.setdefault((user, group), _Bucket())
        self._forget(bucket, now)
        if bucket.penalty_until > now or len(bucket.taken) >= self._limits[group]:
            bucket.penalty_until = now + self._window
            raise ApiError(
                429,
                "CMN-301",
                "Request rate exceeded",
                headers={"Retry-After": str(math.ceil(self._window))},
            )
        bucket.taken.append(now)

    def headers(self, user: str, group: str) -> dict[str, str]:
        """The `X-Rate-Limit-*` headers of an answer to this user."""
        bucket = self._buckets.get((user, group)) or _Bucket()
        left = self._limits[group] - len(bucket.taken)
        if bucket.penalty_until > self._clock.time():
            left = 0
        return {
            "X-Rate-Limit-Group": group,
            "X-Rate-Limit-Limit": str(self._limits[group]),
            "X-Rate-Limit-Remaining": str(max(0, left)),
            "X-Rate-Limit-Window": f"{self._window:g}",
        }

    def _forget(self, bucket: _Bucket, now: float) -> None:
        while bucket.taken and bucket.taken[0] <= now - self._window:
            bucket.taken.popleft()
