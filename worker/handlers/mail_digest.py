"""When a mail about several messages goes out, and which they are."""

import re
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from message_store.message import Message
from worker.facts import conversation
from worker.handlers.mail_chapters import other_parties
from worker.handlers.mail_options import written_as

_DAILY = re.compile(r"daily ([01]?[0-9]|2[0-3]):([0-5][0-9])")


def _parse_daily(text: object) -> object:
    if isinstance(text, time):
        return text
    found = _DAILY.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        raise ValueError('not a time of a digest; write such as "daily 18:00"')
    return time(int(found[1]), int(found[2]))


Daily = Annotated[time, BeforeValidator(_parse_daily), written_as("daily 18:00")]
"""The type of an option that is a time of every day, such as `daily 18:00`."""


def next_time(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The next moment after `now` when clocks of the zone show that time."""
    today = now.astimezone(zone).date()
    due = datetime.combine(today, at, zone)
    # compared as moments: with one zone, Python would compare what clocks show
    if due.timestamp() > now.timestamp():
        return due
    return datetime.combine(today + timedelta(days=1), at, zone)


def belongs_to(message: Message) -> str:
    """What messages of one digest have in common: their conversation, else the other party."""
    if found := conversation(message):
        return f"conversation {found}"
    party = ", ".join(sorted(other.address for other in other_parties(message)))
    return f"party {party}" if party else f"message {message.id}"
