"""The archives of a configuration: where they are, and which messages belong in them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.archive.chain_state import ChainState
from worker.archive.layout import archived, day_of, mailbox_folder, months
from worker.facts import Facts, Known
from worker.happenings import CREATED
from worker.routes import STOP, Route, RouteSearch, asks_for

from .comparing import Archived

# What of a message changes after it came, or comes later.
_CHANGING = ("readStatus", "messageStatus", "vmTranscriptionStatus", "transcription", "pages")


def archives_in(handlers: Mapping[str, object]) -> dict[str, Path]:
    """The folder of each archive, by the name of its step; those in buckets are left out."""
    from worker.handlers.archive import Archive  # an import of the worker brings no handler along

    found = {name: one.root for name, one in handlers.items() if isinstance(one, Archive)}
    return {name: root for name, root in found.items() if root is not None}


class Archiving:
    """Tells of a message which archives should hold it.

    What nobody can tell later is left out: routes that ask for what changes after a message came,
    those that run once per sender, and all that come after one of these which ends the search.
    """

    def __init__(self, routes: Iterable[Route], archives: Iterable[str]) -> None:
        self.names = frozenset(archives)
        certain = []
        for route in (one for one in routes if CREATED in one.on):
            if not _is_uncertain(route):
                certain.append(route)
            elif route.then == STOP:
                break
        self._search = RouteSearch(certain)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes that are asked."""
        return self._search.routes

    def of(
        self,
        message: Message,
        mailbox: Mailbox,
        known: Known = Known(),  # noqa: B008  # immutable
    ) -> dict[str, frozenset[str]]:
        """The archives, each with the routes that bring the message there."""
        found: dict[str, set[str]] = {}
        for route in self._search.running(Facts(message, mailbox, known), CREATED):
            for step in self.names.intersection(route.steps):
                if route.once_per is None:
                    found.setdefault(step, set()).add(route.name)
        return {name: frozenset(routes) for name, routes in found.items()}


def _is_uncertain(route: Route) -> bool:
    return any(asks_for([route], key) for key in _CHANGING)


def kept_in(root: Path, mailbox: Mailbox, first: date, last: date) -> list[Archived]:
    """What an archive holds of a mailbox from `first` to `last`, and what it has let go.

    Blocks; raises OSError.
    """
    kept = [
        Archived(one.id, one.day, one.type)
        for one in archived(root, mailbox, first, last)
        if one.has_original
    ]
    there = {one.id for one in kept}
    for month in months(mailbox_folder(root, mailbox), first, last):
        chain = ChainState(month)
        chain.read()
        kept += (one for one in _let_go(month, chain.removed()) if one.id not in there)
    return kept


def _let_go(month: Path, removed: Iterable[str]) -> Iterator[Archived]:
    for name in removed:
        day, _, folder = name.partition("/")
        when = day_of(month / day)
        type_, _, message_id = folder.rpartition("-")
        if when is not None and type_ and message_id:
            yield Archived(message_id, when, type_, removed=True)
