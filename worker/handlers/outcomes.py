"""What a handler may answer, and how it fails."""

from collections.abc import Mapping
from dataclasses import dataclass


class HandlerError(Exception):
    """A step failed; `reason` is one line for people, kept in the ledger and free of secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TransientError(HandlerError):
    """Worth another attempt: a busy or absent destination. `after`: not before so many seconds.

    `only_this`: the destination works, and puts off this message alone. Without it, five messages
    in a row stop the calls for the others, but for a probe from time to time.
    """

    def __init__(self, reason: str, *, after: float | None = None, only_this: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.only_this = only_this


class PermanentError(HandlerError):
    """No attempt will help until somebody changes something; the delivery is listed as failed."""


class NotYetError(HandlerError):
    """Nothing is wrong, but its time has not come: no attempt is counted.

    `at`: when the handler is called again, in epoch seconds. `is_late`: it waits for others and
    not for a time of its own, so that it counts among what is late.
    """

    def __init__(self, reason: str, at: float, *, is_late: bool = False) -> None:
        super().__init__(reason)
        self.at = at
        self.is_late = is_late


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler answers that adds to the message: its words, and what was said in it.

    Later steps of the route see it as `message.transcription`; it is kept with the delivery, at
    most 100,000 letters of it, so that no retry of theirs transcribes again.
    """

    words: str
    transcription: str


@dataclass(frozen=True, slots=True)
class Later:
    """An outcome of a closing step: not yet, look at it again after so many seconds.

    The delivery is done with it; only the id is kept, for as long as it takes.
    """

    words: str
    seconds: float


ClosingOutcomes = Mapping[str, str | HandlerError | Later]
