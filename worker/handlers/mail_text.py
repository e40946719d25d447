"""What a mail about a message says: subject, plain text, and HTML that reads well on a phone."""

from collections.abc import Sequence

from jinja2 import Environment

from message_store.message import Message
from worker.handlers.plain_text import clean, one_line
from worker.happenings import CREATED, DELETED, DELIVERED, FAILED, READ, SENT, TRANSCRIBED

_KINDS = {"VoiceMail": "Voicemail", "Pager": "Pager message", "SMS": "Text message", "Text": "Text"}
_FAILED = frozenset({"DeliveryFailed", "SendingFailed"})
_HAPPENED = {
    SENT: "Sent: ",
    DELIVERED: "Delivered: ",
    READ: "Read: ",
    DELETED: "Deleted: ",
}

# Styles stand in the tags: mail programs drop style sheets.
_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!DOCTYPE html>
<html><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{{ headline }}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:600px;margin:0 auto">
<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3;\
text-wrap:balance;overflow-wrap:anywhere">{{ headline }}</h1>
{% if text %}
<p style="margin:0 0 16px;padding:12px 14px;border-left:4px solid #2f6fde;\
white-space:pre-wrap;overflow-wrap:anywhere">{{ text }}</p>
{% endif %}
<table role="presentation" cellpadding="0" cellspacing="0" style="border-collapse:collapse">
{% for name, value in facts %}
<tr><td style="padding:2px 14px 2px 0;opacity:.7;vertical-align:top">{{ name }}</td>\
<td style="padding:2px 0;overflow-wrap:anywhere">{{ value }}</td></tr>
{% endfor %}
</table>
</div></body></html>
""")


def headline(message: Message, on: str = CREATED) -> str:
    """One line that says what it is, the subject of a mail unless a template makes another.

    `on` is what happened to the message.
    """
    kind = "MMS" if message.is_mms else _KINDS.get(message.type or "", message.type or "Message")
    if message.direction == "Outbound":
        line = f"{kind} to {message.recipients or 'unknown'}"
    else:
        line = f"{kind} from {message.sender}"
    if on == FAILED or (on == CREATED and message.message_status in _FAILED):
        why = _why_failed(message)
        line = f"Not delivered ({why}): {line}" if why else f"Not delivered: {line}"
    if on == TRANSCRIBED:
        line = f"Transcription of a {line[0].lower()}{line[1:]}"
    line = _HAPPENED.get(on, "") + line
    extent = _length(message) or _pages(message)
    return one_line(f"{line}, {extent}" if extent else line)


def facts(message: Message, files: Sequence[str]) -> list[tuple[str, str]]:
    """What else is known, as pairs of a name and a value; only what is there."""
    pairs = [
        ("From", message.sender if message.from_ else ""),
        ("To", message.recipients or _called(message)),
        ("Sent" if message.direction == "Outbound" else "Received", _moment(message)),
        ("Length", _length(message)),
        ("Pages", str(message.fax_page_count or "")),
        ("Status", message.message_status if message.direction == "Outbound" else ""),
        ("Priority", message.priority if message.priority != "Normal" else ""),
        ("Files" if len(files) > 1 else "File", ", ".join(files)),
    ]
    return [(name, one_line(value, 500)) for name, value in pairs if value]


def plain_page(message: Message, text: str, files: Sequence[str], on: str = CREATED) -> str:
    """The plain text of the mail; `text` takes the place of the message's own if not empty."""
    text = clean(text or message.text)
    lines = [headline(message, on), ""]
    if text:
        lines += [text, ""]
    lines += [f"{name}: {value}" for name, value in facts(message, files)]
    return "\n".join(lines) + "\n"


def html_page(message: Message, text: str, files: Sequence[str], on: str = CREATED) -> str:
    """The same in HTML, everything of the message escaped."""
    return _PAGE.render(
        headline=headline(message, on),
        text=clean(text or message.text),
        facts=facts(message, files),
    )


def _why_failed(message: Message) -> str:
    """RingCentral's codes for what went wrong, of the message and of each recipient, once each."""
    codes = [message.delivery_error_code, *(party.fax_error_code for party in message.to)]
    return one_line(", ".join(dict.fromkeys(code for code in codes if code)), 60)


def _moment(message: Message) -> str:
    if message.creation_time is None:
        return ""
    moment = message.created
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def _called(message: Message) -> str:
    """The number an inbound fax was sent to: RingCentral may keep it in the subject only."""
    return message.subject or "" if message.type == "Fax" else ""


def _length(message: Message) -> str:
    seconds = max((part.vm_duration or 0 for part in message.attachments), default=0)
    return f"{seconds // 60}:{seconds % 60:02}" if seconds > 0 else ""


def _pages(message: Message) -> str:
    count = message.fax_page_count or 0
    return f"{count} page{'' if count == 1 else 's'}" if count > 0 else ""
