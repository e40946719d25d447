"""Faxes whose pages are not known when they come: which routes run once they are. Pure.

`faxPageCount` is 0 until a fax is rendered, so that a condition on `pages` does not hold before.
"""

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import Facts, Known
from worker.happenings import CREATED, State
from worker.routes import RouteSearch


def is_rendered(before: State | None, now: State) -> bool:
    """Whether the pages of a fax are known now that were not when it came."""
    return before is not None and bool(before.rendering) and not now.rendering


def by_pages(
    search: RouteSearch, message: Message, mailbox: Mailbox, known: Known, before: State
) -> list[str]:
    """The routes for new messages that run for a fax only now that its pages are known."""
    unrendered = message.model_copy(update={"fax_page_count": None})
    # a condition on what changed at the same time must not make a route run twice
    earlier = unrendered.model_copy(
        update={"read_status": before.read_status, "message_status": before.message_status}
    )
    ran = {
        route.name
        for one in (unrendered, earlier)
        for route in search.running(Facts(one, mailbox, known), CREATED)
    }
    now = search.running(Facts(message, mailbox, known), CREATED)
    return [route.name for route in now if route.name not in ran]
