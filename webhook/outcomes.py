"""What became of the requests: counted in memory, told in the log rarely enough not to flood it."""

import asyncio
from typing import Literal

import structlog

from metrics.catalogue import NOTIFICATIONS
from metrics.counting import Counter

Outcome = Literal[
    "accepted",
    "handshake",
    "other kind",
    "hint kept",
    "wrong token",
    "too large",
    "too slow",
    "not a notification",
    "not found",
    "not HTTP",
    "internal error",
    "connection dropped",
]
ORDINARY: frozenset[Outcome] = frozenset({"accepted", "handshake", "other kind", "hint kept"})
TELL_EVERY_SECONDS = 60.0

log = structlog.get_logger()


class Outcomes:
    """Counts by outcome; an unwelcome one is logged at once, then one line a minute at most.

    `counted`: the metric that counts them too, None for none.
    """

    def __init__(
        self, tell_every: float = TELL_EVERY_SECONDS, *, counted: Counter | None = NOTIFICATIONS
    ) -> None:
        self.counts: dict[Outcome, int] = {}
        self._tell_every = tell_every
        self._counted = counted
        self._told: dict[Outcome, int] = {}
        self._timers: dict[Outcome, asyncio.TimerHandle] = {}

    def count(self, outcome: Outcome, **facts: object) -> None:
        """Add one; the facts go with it if it is told. Must be called on the event loop."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        if self._counted is not None:
            self._counted.count(outcome.replace(" ", "_"))
        if outcome not in ORDINARY and outcome not in self._timers:
            self._tell(outcome, facts)

    @property
    def telling(self) -> bool:
        """Whether a line on something unwelcome was written not long ago."""
        return bool(self._timers)

    def close(self) -> None:
        """Stop the timers and tell the totals."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        log.info("requests served", **{name.replace(" ", "_"): n for name, n in self._totals()})

    def _totals(self) -> list[tuple[Outcome, int]]:
        return sorted(self.counts.items())

    def _tell(self, outcome: Outcome, facts: dict[str, object]) -> None:
        total = self.counts[outcome]
        new = total - self._told.get(outcome, 0)
        if not new:
            del self._timers[outcome]
            return
        self._told[outcome] = total
        log.warning("request refused", outcome=outcome, new=new, total=total, **facts)
        self._timers[outcome] = asyncio.get_running_loop().call_later(
            self._tell_every, self._tell, outcome, {}
        )
