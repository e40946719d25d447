"""A line at the foot of the terminal that says how far a long work has come."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ringpost.output import aside, local_time
from ringpost.plain import plain


class Bar:
    """Counts messages on standard error; nothing at all where that is no terminal."""

    def __init__(self, words: str) -> None:
        self._words = plain(words)
        # It is taken away while results are printed: rich would lead standard output through the
        # console of standard error, also into a file that the output was sent to.
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=aside(),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not aside().is_terminal,
        )
        self._task = self._progress.add_task(self._words, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def name(self, words: str) -> None:
        """Say what is being done now."""
        self._words = plain(words)
        self._progress.update(self._task, description=self._words)

    def expect(self, left: int | None) -> None:
        """So many are to come after those that were counted; None: nobody knows."""
        done = int(self._progress.tasks[0].completed)
        self._progress.update(self._task, total=None if left is None else done + left)

    def start_again(self, total: int) -> None:
        """Another work begins, of so many messages."""
        self._progress.reset(self._task, total=total)

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._progress.advance(self._task, count)

    def pause(self, until: datetime | None) -> None:
        """Say until when RingCentral's limit holds us back; None: it is over."""
        words = self._words
        if until is not None:
            clock = local_time(until, seconds=True).partition(" ")[2]
            words = f"{words} (paused by RingCentral's limit until {clock})"
        self._progress.update(self._task, description=words)

    @contextmanager
    def away(self) -> Iterator[None]:
        """The terminal is somebody else's meanwhile: results are printed, a question is asked."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()
