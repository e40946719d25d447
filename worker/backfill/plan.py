"""What a backfill would come to: messages, calls to RingCentral, hours. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from message_store.message import Message
from worker.routes import Route

# RingCentral's defaults per user and minute, until its answers have told the limits.
# Source: https://developers.ringcentral.com/guide/basics/rate-limits
PER_MINUTE = {"light": 50.0, "medium": 40.0}
BULK_SHARE = 0.75
"""Live work keeps a quarter of each limit."""

# How many messages a closing step changes in one call: it goes out on a hundred.
_PER_CLOSING_CALL = 100
PER_PAGE = 250


@dataclass(slots=True)
class Tally:
    """What was counted for one credential, whose mailboxes share its limits."""

    types: Counter[str] = field(default_factory=Counter)
    listed: int = 0
    pages: int = 0
    contents: int = 0
    closing: Counter[str] = field(default_factory=Counter)

    def add(
        self, listed: int, chosen: Iterable[tuple[Message, list[Route]]], closing: Iterable[str]
    ) -> None:
        """Count messages with their routes, out of so many that were listed."""
        self.listed += listed
        self.pages += max(1, -(-listed // PER_PAGE))  # an empty mailbox takes a call as well
        closes = frozenset(closing)
        for message, routes in chosen:
            steps = {step for route in routes for step in route.steps}
            self.types[message.type or "unknown"] += 1
            if steps - closes:
                self.contents += len(message.files)
            self.closing.update(steps & closes)

    @property
    def messages(self) -> int:
        """How many messages would be delivered."""
        return self.types.total()

    @property
    def calls(self) -> dict[str, int]:
        """Calls by class: lists are light, files and changes are medium. Each file is got once."""
        changes = sum(-(-count // _PER_CLOSING_CALL) for count in self.closing.values())
        return {"light": self.pages, "medium": self.contents + changes}

    def hours(self, per_minute: Mapping[str, float]) -> float:
        """How long RingCentral's limits make it take, beside live work."""
        return max(
            calls / (per_minute.get(name, PER_MINUTE[name]) * BULK_SHARE) / 60
            for name, calls in self.calls.items()
        )
