"""Reckons up one run: what arrived where, how often, and whether a promise was broken."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.notifications.outbox import Notified
from tests.chaos.fleet import Outage
from tests.chaos.mail_server import Acceptance

ANSWER_WITHIN = 3.0
# A step is recorded within milliseconds of its answer; a busy machine may take longer.
RECORD_SECONDS = 0.5
# While a write to its file takes long, Redis answers for up to two seconds before it writes on.
AOF_SECONDS = 2.0
# How long a worker may take to notice that Redis is back.
BACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Twice:
    """A message that was mailed again, and what fell between acceptance and record, if anything."""

    message: str
    first: Acceptance
    second: Acceptance
    cause: str

    def __str__(self) -> str:
        same = "same" if self.first.message_id == self.second.message_id else "ANOTHER"
        later = self.second.time - self.first.time
        return (
            f"message {self.message}: mailed by {self.first.worker}, and {later:.1f} s later by "
            f"{self.second.worker}, {same} Message-ID: {self.cause or 'FOR NO REASON'}"
        )


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What one run came to."""

    sent: Mapping[str, float]
    archived: Sequence[str]
    read: set[str]
    accepted: Sequence[Acceptance]
    outages: Sequence[Outage]
    in_penalty: int
    notifications: Sequence[Notified]
    mail_failures: Counter[str]
    api_failures: int
    died: Sequence[str]
    pause: tuple[float, float] | None
    open: int
    failed: int
    seconds: float

    @property
    def mailed(self) -> set[str]:
        """The messages that the mail server has."""
        return {one.message for one in self.accepted}

    @property
    def lost(self) -> dict[str, list[str]]:
        """The messages that are not everywhere, and where they are missing."""
        places = {"archive": set(self.archived), "mail": self.mailed, "read": self.read}
        return {
            message: missing
            for message in self.sent
            if (missing := [name for name, held in places.items() if message not in held])
        }

    @property
    def archived_twice(self) -> list[str]:
        """The messages with more than one folder."""
        return [message for message, count in Counter(self.archived).items() if count > 1]

    @property
    def mailed_twice(self) -> list[Twice]:
        """Every repeated mail, with its cause."""
        by_message: dict[str, list[Acceptance]] = {}
        for one in sorted(self.accepted, key=lambda one: one.time):
            by_message.setdefault(one.message, []).append(one)
        return [
            Twice(message, first, second, self._cause(first))
            for message, times in by_message.items()
            for first, second in pairwise(times)
        ]

    @property
    def answers_while_stopped(self) -> list[Notified]:
        """The notifications that were sent while Redis was stopped."""
        if self.pause is None:
            return []
        began, ended = self.pause
        return [one for one in self.notifications if began <= one.sent < ended]

    def broken(self) -> Iterator[str]:
        """The promises that were broken, each in a line."""
        for message, missing in self.lost.items():
            yield f"message {message} is lost: not in {', '.join(missing)}"
        for message in self.archived_twice:
            yield f"message {message} is archived twice"
        for twice in self.mailed_twice:
            if not twice.cause or twice.first.message_id != twice.second.message_id:
                yield str(twice)
        if self.in_penalty:
            yield f"{self.in_penalty} requests inside a penalty"
        if self.open or self.failed:
            yield f"the ledger has {self.open} open and {self.failed} failed deliveries in the end"
        for words in self.died:
            yield f"nobody killed it: {words}"
        for one in self.answers_while_stopped:
            if one.outcome != "delivered" or one.seconds > ANSWER_WITHIN:
                yield f"a notification without Redis: {one.outcome} after {one.seconds:.2f} s"

    def lines(self) -> Iterator[str]:
        """The table."""
        kills = Counter(outage.name for outage in self.outages)
        by_name = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
        told = Counter(one.outcome for one in self.notifications)
        rows: list[tuple[str, object]] = [
            ("sent", len(self.sent)),
            ("archived", len(self.sent.keys() & set(self.archived))),
            ("mailed", len(self.sent.keys() & self.mailed)),
            ("marked read", len(self.read)),
            ("lost", len(self.lost)),
            ("archived twice", len(self.archived_twice)),
            ("mailed twice", len(self.mailed_twice)),
            ("requests inside a penalty", self.in_penalty),
            ("kills", f"{sum(kills.values())} ({by_name})"),
            ("notifications", f"{len(self.notifications)}, {told['lost']} lost on the way"),
            ("failures of the API", self.api_failures),
            ("failures of the mail server", _counted(self.mail_failures)),
            ("seconds", round(self.seconds)),
        ]
        if self.pause is not None:
            answers = self.answers_while_stopped
            slowest = max((one.seconds for one in answers), default=0.0)
            good = sum(one.outcome == "delivered" for one in answers)
            told_words = f"{len(answers)}, {good} answered 200, the slowest after {slowest:.2f} s"
            rows.append(("notifications without Redis", told_words))
        for name, value in rows:
            yield f"{name:28} {value}"
        for twice in self.mailed_twice:
            yield f"  {twice}"

    def _cause(self, first: Acceptance) -> str:
        """What fell between the acceptance of a mail and its record."""
        if not first.answered:
            return "the mail server broke off before it answered"
        until = first.time + RECORD_SECONDS
        for outage in sorted(self.outages, key=lambda outage: outage.killed):
            # without Redis the record waits until it is back
            if outage.name == "redis" and outage.killed <= until < outage.started + BACK_SECONDS:
                until = outage.started + BACK_SECONDS
        for outage in self.outages:
            after = outage.killed - first.time
            if outage.name == first.worker and first.time <= outage.killed <= until:
                return f"{outage.name} was killed {after:.3f} s after the server had it"
            if outage.name == "redis" and 0 <= after <= AOF_SECONDS:
                return f"redis was killed {after:.3f} s after the server had it"
        return ""


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
