"""Every request the sandbox answered, for a test to question."""

from collections import deque
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
    in_penalty: bool = False

    def to_json(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "group": self.group,
            "status": self.status,
            "code": self.code,
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
