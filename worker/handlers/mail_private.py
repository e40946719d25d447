"""A mail that gives nothing away: of which kind a message is and from whom, and where it is."""

import re
from collections.abc import Sequence

from message_store.message import Message, Party
from worker.handlers.mail_html import Page
from worker.handlers.mail_text import kind
from worker.handlers.plain_text import one_line
from worker.handlers.undelivered import is_undelivered

_NUMBER = re.compile(r"\+?[0-9](?:[ ()./-]{0,2}[0-9]){6,}")


def private_page(message: Message, on: str, address: str, about_links: str) -> Page:
    """The page with a button that leads to the message at `address`."""
    is_outbound = message.direction == "Outbound"
    parties = message.to if is_outbound else [message.from_] if message.from_ else []
    whom = _masked(parties)
    before = "Not delivered: " if is_undelivered(message, on) else ""
    words = f"{before}{kind(message)} {'to' if is_outbound else 'from'}"
    return Page(
        title=one_line(f"{words} {whom}"),
        kind=words,
        heading=whom,
        button=address,
        about_links=about_links,
    )


def _masked(parties: Sequence[Party]) -> str:
    """The parties with the last two digits of each number."""
    names = ", ".join(map(str, parties)) or "unknown"
    return one_line(_NUMBER.sub(lambda found: f"…{found[0][-2:]}", names))
