"""What shall go wrong: answers that fail, connections that break, notifications that get lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.answers import OAuthError
from sandbox.random_failures import RandomFailures


@dataclass(slots=True)
class Fault:
    """The next `times` requests whose path contains `part` are answered with this instead.

    Status 0 breaks the connection off without an answer. A `body` is sent as it is (an HTML error
    page, say); without one the answer has RingCentral's error form with `code`.
    """

    part: str
    status: int
    code: str = "CMN-203"
    message: str = "The sandbox was told to fail"
    times: int = 1
    method: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    content_type: str = "text/html"
    rate_headers: bool = True
    """Without `X-Rate-Limit-*` headers a 429 is another limit than the user's."""

    def meets(self, method: str, path: str) -> bool:
        """Whether this request is one of those that shall fail."""
        return self.times > 0 and self.part in path and self.method in (None, method)


class Faults:
    """Everything that is set to go wrong at the moment."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let everything work again."""
        self._answers: list[Fault] = []
        self._counted: dict[str, int] = {}
        self.random: RandomFailures | None = None
        self.login_refusal: OAuthError | None = None
        # seconds that every notification is late
        self.notification_delay = 0.0
        # seconds of `Retry-After` while writes are refused; None: everything is available
        self.limited_mode: float | None = None

    def add(self, fault: Fault) -> None:
        """Let some requests fail."""
        self._answers.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that meets this request, used up by one; None: it shall work."""
        for fault in self._answers:
            if fault.meets(method, path):
                fault.times -= 1
                if not fault.times:
                    self._answers.remove(fault)
                return fault
        return None

    def count(self, name: str, times: int) -> None:
        """Let the next `times` things of a name go wrong; see `takes` for who asks."""
        self._counted[name] = self._counted.get(name, 0) + times

    def takes(self, name: str) -> bool:
        """Whether the next thing of this name shall go wrong; counts it."""
        left = self._counted.get(name, 0)
        if left:
            self._counted[name] = left - 1
        return left > 0
