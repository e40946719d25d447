"""Whether `ringpost archive adopt` is a remedy for the faults that were found in an archive."""

from ringpost.output import hint


class AdoptionHint:
    """Hears of each fault; where a chain was tampered with, what it lacks may have been in it."""

    def __init__(self) -> None:
        self._outside = False
        self._tampered = False

    def note(self, name: str, what: str) -> None:
        """A fault at a file or folder of this name."""
        from worker.archive.chain import CHAIN
        from worker.archive.verification import IN_NO_CHAIN

        self._outside |= what == IN_NO_CHAIN
        self._tampered |= name == CHAIN

    def show(self) -> None:
        """Say so if it is."""
        if self._outside and not self._tampered:
            hint("`ringpost archive adopt` takes in what was archived before there were chains")
