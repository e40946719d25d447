"""The archives of a configuration: where they are, and which messages belong in them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.archive.chain_state import ChainState
from worker.archive.layout import archived, day_of, mailbox_folder, months
from worker.happenings import CREATED
from worker.routes import Route, matching

from .comparing import Archived


def archives_in(handlers: Mapping[str, object]) -> dict[str, Path]:
    """The folder of each archive, by the name of its step; those in buckets are left out."""
    from worker.handlers.archive import Archive  # an import of the worker brings no handler along

    found = {name: one.root for name, one in handlers.items() if isinstance(one, Archive)}
    return {name: root for name, root in found.items() if root is not None}


class Archiving:
    """Tells of a message which archives should hold it."""

    def __init__(self, routes: Iterable[Route], archives: Iterable[str]) -> None:
        self.names = frozenset(archives)
        self._routes = [route for route in routes if self._is_certain(route)]

    def of(self, message: Message, mailbox: Mailbox) -> dict[str, frozenset[str]]:
        """The archives, each with the routes that bring the message there."""
        found: dict[str, set[str]] = {}
        for route in matching(self._routes, message, mailbox):
            for step in self.names.intersection(route.steps):
                found.setdefault(step, set()).add(route.name)
        return {name: frozenset(routes) for name, routes in found.items()}

    def _is_certain(self, route: Route) -> bool:
        # What a message's status was when it came, nobody can tell later.
        changing = route.match.read_status or route.match.message_status
        return CREATED in route.on and not changing and not self.names.isdisjoint(route.steps)


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
