"""A text message to be sent. Pure."""

import json
from dataclasses import dataclass
from uuid import uuid4

MOST_UNITS = 1000
"""The longest text, in UTF-16 code units: an emoji is two."""
MOST_FILES = 10
MOST_BYTES = 1_500_000
"""Of all files of a message together."""


@dataclass(frozen=True, slots=True)
class SmsFile:
    """A picture, sound or film that goes along; with one the message is an MMS."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One text message to one number; numbers are in E.164, `sender` is one of the user's own."""

    sender: str
    to: str
    text: str
    files: tuple[SmsFile, ...] = ()

    def to_wire(self) -> dict[str, object]:
        """The message as RingCentral reads it."""
        return {
            "from": {"phoneNumber": self.sender},
            "to": [{"phoneNumber": self.to}],
            "text": self.text,
        }

    def to_form(self) -> tuple[str, bytes]:
        """The same with its files, as a form: the content type, and the body."""
        boundary = f"ringpost-{uuid4().hex}"
        wire = json.dumps(self.to_wire()).encode()
        body = _part(boundary, "json", None, "application/json", wire)
        for file in self.files:
            body += _part(boundary, "attachment", file.name, file.content_type, file.content)
        return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def shortened(text: str) -> str:
    """The text, cut with an ellipsis where it is longer than RingCentral takes."""
    if _units(text) <= MOST_UNITS:
        return text
    cut = text[: MOST_UNITS - 1]
    while _units(cut) > MOST_UNITS - 1:
        cut = cut[:-1]
    return f"{cut.rstrip()}…"


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


def _part(boundary: str, name: str, file: str | None, content_type: str, content: bytes) -> bytes:
    quoted = (file or "").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    named = f'; filename="{quoted}"' if file is not None else ""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"
