"""The messages of the conformance suite: one of each kind, and the worst a stranger can send."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from message_store.mailbox import Mailbox
from message_store.message import Message

MAILBOX = Mailbox("230919004", "230919005")
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 400 + b"\n%%EOF\n"
WAV = b"RIFF\x24\x10\x00\x00WAVEfmt " + b"\x00\x01.\r\n.\r\n" * 5000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(255, -1, -1)) * 40


@dataclass(frozen=True)
class Case:
    """A message as RingCentral spells it, and the content of its attachments by id."""

    wire: dict[str, Any]
    contents: dict[str, bytes] = field(default_factory=dict)

    @property
    def message(self) -> Message:
        """The message, parsed."""
        return Message.model_validate(self.wire)


_KNOWN = {
    "direction": "Inbound",
    "readStatus": "Unread",
    "availability": "Alive",
    "messageStatus": "Received",
    "priority": "Normal",
    "creationTime": "2025-11-23T14:17:08.000Z",
    "lastModifiedTime": "2025-11-23T14:17:09.000Z",
    "from": {"phoneNumber": "+16505550100", "name": "Jane Doe", "location": "San Mateo, CA"},
    "to": [{"phoneNumber": "+16505550111", "name": "Front desk"}],
}
_VERY_LONG = "x" * 4096

FAX = Case(
    {
        **_KNOWN,
        "id": 501,
        "type": "Fax",
        "faxPageCount": 3,
        "faxResolution": "High",
        "attachments": [
            {"id": 501, "type": "RenderedDocument", "contentType": "application/pdf", "size": 9}
        ],
    },
    {"501": PDF},
)
VOICEMAIL = Case(
    {
        **_KNOWN,
        "id": 502,
        "type": "VoiceMail",
        "vmTranscriptionStatus": "Completed",
        "attachments": [
            {"id": 1, "type": "AudioRecording", "contentType": "audio/x-wav", "vmDuration": 42},
            {"id": 2, "type": "AudioTranscription", "contentType": "text/plain"},
        ],
    },
    {"1": WAV, "2": "Please call me back. Grüße!\n".encode()},
)
SMS = Case(
    {
        **_KNOWN,
        "id": "503",
        "type": "SMS",
        "subject": "Are you open today?",
        "conversationId": 5439834568291730433,
        "attachments": [{"id": 503, "type": "Text", "contentType": "text/plain"}],
    },
)
MMS = Case(
    {
        **_KNOWN,
        "id": 504,
        "type": "SMS",
        "subject": "Two pictures",
        "attachments": [
            {"id": 504, "type": "Text", "contentType": "text/plain"},
            {"id": 5, "type": "MmsAttachment", "contentType": "image/png", "fileName": "a.png"},
            {"id": 6, "type": "MmsAttachment", "contentType": "image/png", "fileName": "A.PNG"},
        ],
    },
    {"5": PNG, "6": b""},
)
BARE = Case({"id": 505})
BARE_WITH_FILE = Case({"id": 506, "attachments": [{"id": 1}]}, {"1": b"."})
HOSTILE = Case(
    {
        "id": "../../../etc/cron.d/x\x00",
        "type": "../Fax\r\nBcc: everyone@example.com",
        "direction": "\u202ednuobnI",
        "subject": "</p><script>alert(1)</script>\r\n.\r\nMAIL FROM:<a@b.c>\r\n{{ 7*7 }}",
        "from": {"name": "Eve\r\nBcc: all@example.com\x00<b>", "phoneNumber": "+1\n650"},
        "to": [{"name": "{{ config }}" * 500}],
        "creationTime": "0001-01-01T00:00:00Z",
        "attachments": [
            {"id": "../1", "fileName": "../../../../root/.ssh/authorized_keys"},
            {"id": "../2", "fileName": "CON.pdf\x00.exe", "contentType": "text/html\r\nX: y"},
            {"id": "../3", "fileName": _VERY_LONG, "contentType": _VERY_LONG + "/" + _VERY_LONG},
            {"id": "../4", "fileName": "message.json", "contentType": "image/svg+xml"},
            {"id": "../5", "fileName": "Manifest.JSON", "contentType": "multipart/mixed"},
            {"id": "../6", "fileName": "\u202efdp.exe", "contentType": "message/rfc822"},
            {"id": "../7", "fileName": "..", "size": -1, "contentType": "/"},
            {"id": "../8", "fileName": "Rechnung für “Łódź” 日本.pdf\r\n"},
        ],
    },
    {f"../{number}": b"content %d\r\n.\r\n" % number for number in range(1, 9)},
)

CASES = {
    "fax": FAX,
    "voicemail": VOICEMAIL,
    "sms": SMS,
    "mms": MMS,
    "bare": BARE,
    "bare with file": BARE_WITH_FILE,
    "hostile": HOSTILE,
}


def recent(case: Case) -> Case:
    """The same as if it had come a moment ago."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Case({**case.wire, "creationTime": now, "lastModifiedTime": now}, case.contents)
