"""What a mail about a message says: subject, plain text, and HTML that reads well on a phone."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

from message_store.message import Message
from worker.handlers.mail_html import Link, Page, Picture
from worker.handlers.plain_text import clean, one_line
from worker.handlers.undelivered import is_undelivered, reached, undelivered, why
from worker.happenings import CREATED, DELETED, DELIVERED, READ, SENT, TRANSCRIBED

_KINDS = {"VoiceMail": "Voicemail", "Pager": "Pager message", "SMS": "Text message", "Text": "Text"}
_HAPPENED = {
    SENT: "Sent: ",
    DELIVERED: "Delivered: ",
    READ: "Read: ",
    DELETED: "Deleted: ",
}
# What to say of a voicemail without words; those that were never to have any say nothing.
_NO_WORDS = {
    "InProgress": "What was said is still being written down.",
    "TimedOut": "What was said could not be written down in time.",
    "Failed": "What was said could not be written down.",
}


def headline(message: Message, on: str = CREATED) -> str:
    """One line that says what it is, the subject of a mail unless a template makes another.

    `on` is what happened to the message.
    """
    line = f"{kind(message)} {_whom(message, on)}"
    if is_undelivered(message, on):
        reasons = why(message)
        line = f"Not delivered ({reasons}): {line}" if reasons else f"Not delivered: {line}"
    if on == TRANSCRIBED:
        line = f"Transcription of a {line[0].lower()}{line[1:]}"
    line = _HAPPENED.get(on, "") + line
    extent = _extent(message)
    return one_line(f"{line}, {extent}" if extent else line)


def headline_of_first(message: Message) -> str:
    """The headline that it had when it came, as far as that can be told from how it is now.

    What fails later did not yet: else that would not be told.
    """
    return headline(message.model_copy(update={"message_status": None}))


def kind(message: Message) -> str:
    """What it is, in words: `Voicemail`, `MMS`; RingCentral's own word if it is a new one."""
    if message.is_mms:
        return "MMS"
    return one_line(_KINDS.get(message.type or "", message.type or "Message"), 60)


def facts(
    message: Message, files: Sequence[str], zone: tzinfo = UTC, on: str = CREATED
) -> list[tuple[str, str]]:
    """What else is known, as pairs of a name and a value; only what is there."""
    is_outbound = message.direction == "Outbound"
    failures = undelivered(message) if is_undelivered(message, on) else []
    has_status = not failures and (is_outbound or message.type == "Fax")
    pairs = [
        ("From", message.sender if message.from_ else ""),
        ("To", message.recipients or _called(message)),
        ("Reached", ", ".join(reached(message)) if failures else ""),
        ("Sent" if is_outbound else "Received", moment(message, zone)),
        ("Length", _length(message)),
        ("Pages", str(message.fax_page_count or "")),
        ("Status", message.message_status if has_status else ""),
        ("Code", ", ".join(dict.fromkeys(one.code for one in failures if one.code))),
        ("Priority", message.priority if message.priority != "Normal" else ""),
        ("Files" if len(files) > 1 else "File", ", ".join(files)),
    ]
    return [(name, one_line(value, 500)) for name, value in pairs if value]


def message_page(
    message: Message,
    text: str,
    files: Sequence[str],
    on: str = CREATED,
    *,
    pictures: Sequence[Picture] = (),
    links: Sequence[Link] = (),
    about_links: str = "",
    zone: tzinfo = UTC,
) -> Page:
    """The page about a message; `text` takes the place of its own if it is not empty.

    `files` are the names of those attached, `pictures` stand on the page.
    """
    failures = undelivered(message) if is_undelivered(message, on) else []
    text = clean(text or message.text)
    before = "Not delivered: " if failures else _HAPPENED.get(on, "")
    extent = f" ({_extent(message)})" if _extent(message) else ""
    direction, _, whom = _whom(message, on).partition(" ")
    return Page(
        title=headline(message, on),
        kind=f"{before}{kind(message)}{extent} {direction}",
        heading=one_line(whom),
        failures=failures,
        label=_label(message, bool(failures)),
        text=text,
        pictures=pictures,
        note="" if text else _NO_WORDS.get(message.vm_transcription_status or "", ""),
        links=links,
        about_links=about_links,
        facts=facts(message, files, zone, on),
    )


def plain_page(message: Message, text: str, files: Sequence[str], on: str = CREATED) -> str:
    """The page as plain text."""
    return message_page(message, text, files, on).plain()


def html_page(message: Message, text: str, files: Sequence[str], on: str = CREATED) -> str:
    """The page in HTML, everything of the message escaped."""
    return message_page(message, text, files, on).html()


def moment(message: Message, zone: tzinfo = UTC) -> str:
    """When it was created, as people of that time zone write it; empty if that is unknown."""
    if message.creation_time is None:
        return ""
    try:
        at = message.created.astimezone(zone)
    except OverflowError:  # the first or last day of the calendar
        at = message.created
    return f"{at.day} {at:%b %Y, %H:%M} {at.tzname() or ''}".rstrip()


def _whom(message: Message, on: str) -> str:
    """From whom it is, or to whom; if it failed, only those it did not reach."""
    if is_undelivered(message, on):
        return f"to {', '.join(one.recipient for one in undelivered(message))}"
    if message.direction == "Outbound":
        return f"to {message.recipients or 'unknown'}"
    return f"from {message.sender}"


def _label(message: Message, failed: bool) -> str:
    if failed:
        return "What was sent:"
    if message.type != "VoiceMail":
        return ""
    partly = message.vm_transcription_status == "CompletedPartially"
    return "The beginning of what was said:" if partly else "What was said:"


def _called(message: Message) -> str:
    """The number an inbound fax was sent to: RingCentral may keep it in the subject only."""
    return message.subject or "" if message.type == "Fax" else ""


def _extent(message: Message) -> str:
    return _length(message) or _pages(message)


def _length(message: Message) -> str:
    seconds = max((part.vm_duration or 0 for part in message.attachments), default=0)
    return f"{seconds // 60}:{seconds % 60:02}" if seconds > 0 else ""


def _pages(message: Message) -> str:
    count = message.fax_page_count or 0
    return f"{count} page{'' if count == 1 else 's'}" if count > 0 else ""
