"""Every request the sandbox answered, for a test to question."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.clock import stamp

KEPT = 100_000


@dataclass(slots=True)
class LoggedRequest:
    """One request: what was asked, what was answered (0: not yet, or broken off) and when."""

    method: str
    path: str
    operation: str
    group: str
    started: float
    finished: float = 0.0
    status: int = 0
    code: str = ""
    user: str = ""
    """`client_id/extension_id` of who asked; of a login only the app's id."""
    failure: str = ""
    """How it was made to fail, if it was."""
    penalty_age: float | None = None
    """How long the penalty it came into had lasted already; None: it came into none."""

    @property
    def in_penalty(self) -> bool:
        """Whether it came inside a penalty, and so made it begin anew."""
        return self.penalty_age is not None

    def to_json(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "group": self.group,
            "user": self.user,
            "status": self.status,
            "code": self.code,
            "failure": self.failure,
            "time": stamp(self.started),
            "seconds": round(max(0.0, self.finished - self.started), 4),
            "inPenalty": self.in_penalty,
        }


class RequestLog:
    """The last requests, oldest first; a part of the path or the operation's name selects."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=KEPT)

    def add(self, entry: LoggedRequest) -> None:
        """Remember one more request."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget everything: what follows is counted from zero."""
        self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def matching(
        self, part: str = "", *, method: str | None = None, status: int | None = None
    ) -> list[LoggedRequest]:
        """The requests whose path (query included) contains `part` or whose operation is `part`."""
        return [
            entry
            for entry in self._entries
            if (part in entry.path or part == entry.operation)
            and (method is None or entry.method == method)
            and (status is None or entry.status == status)
        ]

    def count(self, part: str = "", *, method: str | None = None, status: int | None = None) -> int:
        """How many requests match; see `matching`."""
        return len(self.matching(part, method=method, status=status))

    def sent_in_penalty(self, under_way: float = 0.0) -> list[LoggedRequest]:
        """What came inside a penalty, which no client may send.

        A request that was on its way when the 429 was answered could not know: those of the
        penalty's first `under_way` seconds are let off.
        """
        return [
            entry
            for entry in self._entries
            if entry.penalty_age is not None and entry.penalty_age >= under_way
        ]

    def refused(self, group: str | None = None) -> list[LoggedRequest]:
        """What was answered with 429, in one group or in all."""
        found = self.matching(status=429)
        return [entry for entry in found if group in (None, entry.group)]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many requests of each group and operation, and how many failed in which way."""
        return {
            "groups": dict(Counter(entry.group for entry in self._entries)),
            "operations": dict(Counter(entry.operation for entry in self._entries)),
            "refused": dict(Counter(entry.group for entry in self.refused())),
            "inPenalty": dict(Counter(entry.group for entry in self.sent_in_penalty())),
            "failures": dict(Counter(e.failure for e in self._entries if e.failure)),
        }
