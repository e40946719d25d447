"""The archives of a configuration: where they are, and which messages belong in them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.handlers.archive import Archive
from worker.happenings import CREATED
from worker.routes import Route, matching


def archives_in(handlers: Mapping[str, object]) -> dict[str, Path]:
    """The folder of each archive, by the name of its step."""
    return {name: one.root for name, one in handlers.items() if isinstance(one, Archive)}


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

    def other_steps(self, steps: Sequence[str]) -> list[str]:
        """Those of a route's steps that archive nothing."""
        return [step for step in steps if step not in self.names]

    def _is_certain(self, route: Route) -> bool:
        # What a message's status was when it came, nobody can tell later.
        changing = route.match.read_status or route.match.message_status
        return CREATED in route.on and not changing and not self.names.isdisjoint(route.steps)
