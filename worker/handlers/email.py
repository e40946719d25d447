"""`email`: each message as a mail that reads well, with its files, handed over by SMTP.

A mail goes to all its recipients or, where some are refused for good, to the others, and the
outcome says so; it is never sent twice to those who have it. A recipient refused for now holds
the mail back for all, three attempts long.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from typing import Annotated

from pydantic import AfterValidator, Field, FilePath, PrivateAttr, SecretStr

from message_store.message import Message
from worker.handlers.contract import AttachmentFile, Context, Handler
from worker.handlers.mail_text import headline, html_page, plain_page
from worker.handlers.mime import HeaderValue, Mail, MailFile
from worker.handlers.plain_text import one_line
from worker.handlers.rendering import TemplateText
from worker.handlers.smtp_pool import SmtpPool
from worker.handlers.smtp_server import SmtpServer
from worker.happenings import CREATED, DELETED, DELIVERED, READ

HOLD_ATTEMPTS = 3
# Nothing of these is in the files, and those of a deleted message may be gone.
_WITHOUT_FILES = frozenset({DELIVERED, READ, DELETED})
_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


def parse_address(text: str) -> Address:
    """A mail address with or without a name; raises ValueError with an example.

    A domain beyond ASCII is written in its ASCII form.
    """
    name, address = parseaddr(text)
    if not _ADDRESS.fullmatch(address) or "=?" in address or any(c in text for c in "\r\n"):
        raise ValueError('not a mail address; write "office@example.com" or "Name <a@example.com>"')
    user, _, domain = address.rpartition("@")
    try:
        return Address(name, user, domain.encode("idna").decode())
    except (UnicodeError, ValueError) as error:
        raise ValueError("not a mail address that every mail server takes") from error


def _checked_address(text: str) -> str:
    parse_address(text).addr_spec.encode("ascii")
    return text


def _checked_server(url: SecretStr) -> SecretStr:
    SmtpServer.parse(url.get_secret_value())
    return url


MailAddress = Annotated[str, AfterValidator(_checked_address)]


class Email(Handler):
    """Sends each message as a mail."""

    smtp: Annotated[SecretStr, AfterValidator(_checked_server)]
    """The server: smtps://user:password@mail.example.com, smtp+starttls://... or smtp://..."""
    sender: MailAddress = Field(alias="from")
    """Who the mails come from: an address, or a name and an address."""
    to: Annotated[list[MailAddress], Field(min_length=1)]
    """Who gets them."""
    subject: TemplateText = ""
    """A template for the subject; without it, what happened, the kind of message and its sender."""
    text: TemplateText = ""
    """A template for the text; without it, the text of the message or what was said in it."""
    ca: FilePath | None = None
    """A file with the certificate authority of a server that has none of the public ones."""

    _pool: SmtpPool | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        """Send it; the words say to how many recipients."""
        attachments = [] if context.on in _WITHOUT_FILES else context.attachments
        files = [await _mail_file(file) for file in attachments]
        text = context.render(self.text, message) or message.text
        text = text or _transcription(attachments, files)
        sender, recipients = parse_address(self.sender), [parse_address(to) for to in self.to]
        mail = Mail(
            self._headers(message, context),
            plain_page(message, text, _names(files), context.on),
            html_page(message, text, _names(files), context.on),
            files,
        )
        receipt = await self._connections().send(
            mail,
            sender.addr_spec,
            [recipient.addr_spec for recipient in recipients],
            hold=context.attempt <= HOLD_ATTEMPTS,
        )
        if receipt.refused:
            context.log.warning(
                "some recipients refused", refused=len(receipt.refused), reply=receipt.refused[0]
            )
            return (
                f"mailed to {receipt.accepted} of {len(recipients)} recipients; "
                f"refused: {receipt.refused[0]}"
            )
        return f"mailed to {len(recipients)} recipient{'' if len(recipients) == 1 else 's'}"

    async def check(self) -> str:
        """Connect, with TLS and login, and leave again."""
        encrypted = await self._connections().probe()
        server = SmtpServer.parse(self.smtp.get_secret_value())
        login = "logged in" if server.user else "no login needed"
        return f"{server} answers, {'with' if encrypted else 'without'} TLS, {login}"

    async def close(self) -> None:
        """Take leave of the server."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def _connections(self) -> SmtpPool:
        if self._pool is None:
            self._pool = SmtpPool(SmtpServer.parse(self.smtp.get_secret_value()), self.ca)
        return self._pool

    def _headers(self, message: Message, context: Context) -> dict[str, HeaderValue]:
        sender = parse_address(self.sender)
        known = message.creation_time is not None or context.on != CREATED
        subject = one_line(context.render(self.subject, message)) or headline(message, context.on)
        return {
            "From": sender,
            "To": tuple(parse_address(to) for to in self.to),
            "Subject": subject,
            "Date": format_datetime(context.at if known else _now()),
            # The same in every attempt, so that a mail program recognises a repeat.
            "Message-ID": f"<{context.idempotency_key[:32]}.ringpost@{sender.domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "X-Ringpost-Type": one_line(message.type or "", 60) or "unknown",
            "X-Ringpost-Direction": one_line(message.direction or "", 60) or "unknown",
            "X-Ringpost-Mailbox": one_line(str(context.mailbox), 70),
            "X-Ringpost-Message": one_line(message.id, 60),
            "X-Ringpost-Route": one_line(context.route),
            "X-Ringpost-On": one_line(context.on, 60),
        }


async def _mail_file(file: AttachmentFile) -> MailFile:
    content = await file.content()
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    return MailFile(file.name, file.content_type, content, size)


def _transcription(parts: Sequence[AttachmentFile], files: Sequence[MailFile]) -> str:
    """What was said in a voicemail, if RingCentral has written it down."""
    for part, file in zip(parts, files, strict=True):
        if part.type == "AudioTranscription" and isinstance(file.content, bytes):
            return file.content.decode("utf-8-sig", "replace").strip()
    return ""


def _names(files: list[MailFile]) -> list[str]:
    return [file.name for file in files]


def _now() -> datetime:
    return datetime.now(UTC)
