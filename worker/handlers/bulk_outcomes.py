"""What RingCentral's answers to a bulk change mean for each message, the same for all closers."""

from collections.abc import Sequence

from message_store.errors import NotFound, RingCentralError
from message_store.protocol import Outcomes
from worker.handlers.contract import HandlerError, PermanentError, TransientError


def outcomes_of(ids: Sequence[str], results: Outcomes, done: str) -> dict[str, str | HandlerError]:
    """Per id `done`, or what is wrong; one that has left the mailbox counts as done."""
    return {
        id_: outcome_of(results[id_], done)
        if id_ in results
        else TransientError("RingCentral said nothing of this message")
        for id_ in ids
    }


def outcome_of(error: RingCentralError | None, done: str) -> str | HandlerError:
    """The outcome of one id."""
    if error is None:
        return done
    if isinstance(error, NotFound):
        return "no longer in the mailbox"
    if error.transient:
        return TransientError(str(error), after=error.retry_after)
    return PermanentError(str(error))
