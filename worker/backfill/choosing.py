"""Which old messages a backfill brings, and on which routes. Pure."""

from collections.abc import Iterable, Sequence

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.happenings import CREATED
from worker.ledger.backfills import Run
from worker.routes import Route, matching


def routes_for(routes: Iterable[Route], names: Sequence[str]) -> list[Route]:
    """The routes of these names, by default all, that are for new messages."""
    return [route for route in routes if CREATED in route.on and (not names or route.name in names)]


class Choice:
    """Tells of a message what becomes of it; what backfills before have covered is left out."""

    def __init__(self, routes: Iterable[Route], before: Iterable[Run] = ()) -> None:
        self._routes = list(routes)
        self._before = list(before)

    def of(self, message: Message, mailbox: Mailbox) -> list[Route]:
        """The routes on which the message is to be delivered."""
        name = str(mailbox)
        return [
            route
            for route in matching(self._routes, message, mailbox)
            if not any(
                run.has_covered(name, route.name, message.id, message.created)
                for run in self._before
            )
        ]
