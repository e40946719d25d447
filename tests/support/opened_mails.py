"""Mails as a mail program shows them: sent, parsed, with the pictures in their places."""

import base64
import re
import struct
import tempfile
import zlib
from collections.abc import Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ringpost.probes import free_port
from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import FAX, VOICEMAIL, Case
from worker.handlers.email import Email


class _Kept:
    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = BytesParser(policy=default).parsebytes(content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


async def sent(cases: Mapping[str, Case]) -> dict[str, EmailMessage]:
    """The mail of each message, as it comes out of a mail server."""
    kept = _Kept()
    controller = Controller(kept, hostname="127.0.0.1", port=free_port(0))
    controller.start()
    try:
        handler = Email.model_validate(
            {
                "smtp": f"smtp://127.0.0.1:{controller.port}",
                "from": "Office phone <phone@example.com>",
                "to": ["office@example.com"],
            }
        )
        with tempfile.TemporaryDirectory() as folder:
            for name, case in cases.items():
                await Bench(case, Path(folder) / name).attempt(handler)
        await handler.close()
    finally:
        controller.stop()
    return dict(zip(cases, kept.mails, strict=True))


def shown(mail: EmailMessage) -> str:
    """The HTML of a mail with its inline pictures put in."""
    html = mail.get_body(("html",))
    assert html is not None
    pictures = {
        str(part["Content-ID"]).strip("<>"): part for part in mail.walk() if part["Content-ID"]
    }

    def data(found: re.Match[str]) -> str:
        part = pictures[found[1]]
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        coded = base64.b64encode(content).decode()
        return f'src="data:{part.get_content_type()};base64,{coded}"'

    return re.sub(r'src="cid:([^"]+)"', data, html.get_content())


def landscape(width: int = 480, height: int = 320) -> bytes:
    """A picture for an MMS: hills in the evening, as a PNG."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            hill = height * 0.62 + 30 * _wave(x / 90) + 18 * _wave(x / 37 + 2)
            sun = (x - width * 0.7) ** 2 + (y - height * 0.38) ** 2 < 34**2
            if y > hill:
                rows += bytes((38, 70 + int(y - hill) // 4, 64))
            elif sun:
                rows += bytes((255, 226, 150))
            else:
                rows += bytes((250 - y // 4, 150 + y // 4, 110 + y // 3))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(bytes(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _wave(x: float) -> float:
    return ((x % 2) - 1) ** 2


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_SAID = (
    "Hi, this is Jane Doe from Doe & Sons. I'm calling about the quote for the roof: we would like "
    "to go ahead, but need it done before the end of March. Please call me back today if you can, "
    "I'm here until five. Thank you, bye."
)
_VOICEMAIL = Case(
    {**VOICEMAIL.wire, "to": [{"name": "Front desk"}]},
    {**VOICEMAIL.contents, "2": _SAID.encode()},
)
_MMS = Case(
    {
        **FAX.wire,
        "id": 504,
        "type": "SMS",
        "subject": "The view from the new office. The second one is from the terrace!",
        "conversationId": 5439834568291730433,
        "attachments": [
            {"id": 504, "type": "Text", "contentType": "text/plain"},
            {"id": 5, "type": "MmsAttachment", "contentType": "image/png", "fileName": "view.png"},
            {"id": 6, "type": "MmsAttachment", "contentType": "image/png", "fileName": "sun.png"},
        ],
        "faxPageCount": None,
    },
    {"5": landscape(), "6": landscape(480, 240)},
)
_FAILED = Case(
    {
        **FAX.wire,
        "direction": "Outbound",
        "messageStatus": "SendingFailed",
        "from": {"phoneNumber": "+16505550111", "name": "Front desk"},
        "to": [
            {
                "phoneNumber": "+16505550142",
                "name": "Anna Smith",
                "messageStatus": "SendingFailed",
                "faxErrorCode": "NoAnswer",
            },
            {
                "phoneNumber": "+16505550177",
                "name": "City archive",
                "messageStatus": "SendingFailed",
                "faxErrorCode": "NoFaxMachine",
            },
            {"phoneNumber": "+16505550199", "name": "Bob Lee", "messageStatus": "Sent"},
        ],
    },
    FAX.contents,
)

DEFAULT_MAILS = {
    "voicemail": _VOICEMAIL,
    "fax": FAX,
    "mms": _MMS,
    "delivery-failure": _FAILED,
}
"""The messages whose mails stand in the documentation."""
