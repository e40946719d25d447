"""Where the conformance suite tries a handler: one message, its mailbox, and what may happen."""

from pathlib import Path

from worker.handlers.conformance_cases import MAILBOX, Case
from worker.handlers.conformance_fakes import FakeLinks, FakeNetwork, FakeStore
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import Handler, Outcome
from worker.handlers.notes import MemoryNotes
from worker.happenings import CREATED
from worker.spool import Spool


class Bench:
    """One message, its mailbox and its network, and attempts at it with the same identity."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.store = FakeStore(case)
        self.network = FakeNetwork()
        self.notes = MemoryNotes()
        self.links: FakeLinks | None = FakeLinks()
        self._case = case
        self._spool = Spool(folder / "spool", self.store)

    async def attempt(
        self,
        handler: Handler,
        number: int = 1,
        *,
        on: str = CREATED,
        at: str | None = None,
        amends: bool = False,
    ) -> str:
        """Call the handler once for what happened; its words, checked.

        `amends`: what happened amends what was done when the message came.
        """
        message = self._case.message
        context = DeliveryContext(
            mailbox=MAILBOX,
            message=message,
            route="Conformance",
            step="tested",
            attempt=number,
            store=self.store,
            spool=self._spool,
            http=self.network,
            notes=self.notes,
            on=on,
            at=at,
            links=self.links,
            amends=amends,
        )
        before = message.model_dump()
        call = handler.amend if amends else handler.handle
        outcome = await call(message, context)
        if isinstance(outcome, Outcome):
            require(isinstance(outcome.transcription, str), "what it adds to the message is text")
        words = outcome.words if isinstance(outcome, Outcome) else outcome
        require(isinstance(words, str), f"the outcome is words, not {type(words).__name__}")
        require(bool(words.strip()), "the outcome says nothing")
        require(len(words) <= 300, "the outcome is a few words, not a report")
        require("\n" not in words, "the outcome is one line")
        require(message.model_dump() == before, "the handler changed the message")
        return words


def require(condition: bool, complaint: str) -> None:
    """Raise AssertionError with the complaint unless the condition holds."""
    # Not the statement `assert`: it would vanish under python -O and lack pytest's rewriting.
    if not condition:
        raise AssertionError(complaint)
