"""`email`: each message as a mail that reads well, with its files, handed over by SMTP.

A mail goes to all its recipients or, where some are refused for good, to the others, and the
outcome says so; it is never sent twice to those who have it. A recipient refused for now holds
the mail back for all, three attempts long.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, FilePath, PrivateAttr, SecretStr, field_validator

from message_store.message import Message
from worker.handlers.contract import Context, Handler, PermanentError
from worker.handlers.mail_addresses import MailAddress, addresses, parse_address
from worker.handlers.mail_files import in_one_chunk, linked_files, mail_files, transcription
from worker.handlers.mail_follow_up import follow_up, message_id
from worker.handlers.mail_html import Link, Page, Picture
from worker.handlers.mail_links import about_links, insist_on_links
from worker.handlers.mail_options import Duration, Size, Zone, size_in_words
from worker.handlers.mail_private import private_page
from worker.handlers.mail_text import headline, message_page
from worker.handlers.mail_thread import thread_root
from worker.handlers.mime import HeaderValue, Mail, MailFile
from worker.handlers.plain_text import one_line
from worker.handlers.rendering import TemplateText
from worker.handlers.smtp import TooLargeError
from worker.handlers.smtp_pool import SmtpPool
from worker.handlers.smtp_server import SmtpServer
from worker.happenings import CREATED, DELETED, DELIVERED, READ

HOLD_ATTEMPTS = 3
# Nothing of these is in the files, and those of a deleted message may be gone.
_WITHOUT_FILES = frozenset({DELIVERED, READ, DELETED})


def _checked_server(url: SecretStr) -> SecretStr:
    SmtpServer.parse(url.get_secret_value())
    return url


class Email(Handler):
    """Sends each message as a mail."""

    smtp: Annotated[SecretStr, AfterValidator(_checked_server)]
    """The server: smtps://user:password@mail.example.com, smtp+starttls://... or smtp://..."""
    sender: MailAddress = Field(alias="from")
    """Who the mails come from: an address, or a name and an address."""
    to: Annotated[list[MailAddress], Field(min_length=1)]
    """Who gets them."""
    cc: tuple[MailAddress, ...] = ()
    """Who gets a copy."""
    bcc: tuple[MailAddress, ...] = ()
    """Who gets a copy that the others do not see."""
    reply_to: tuple[MailAddress, ...] = ()
    """Who gets the answers, if not `from`."""
    subject: TemplateText = ""
    """A template for the subject; without it, what happened, the kind of message and its sender."""
    text: TemplateText = ""
    """A template for the text; without it, the text of the message or what was said in it."""
    zone: Zone = "UTC"
    """The time zone of the times in a mail, such as Europe/Berlin."""
    files: Literal["attach", "link", "none"] = "attach"
    """What becomes of the files: attached, behind links that expire, or left out."""
    max_size: Size | None = None
    """How large a mail may be, such as 20MB; a larger one has links instead of its files."""
    content: Literal["full", "link"] = "full"
    """"link": the mail only says that there is a message, which is behind a link."""
    link_expires: Duration = timedelta(days=7)
    """How long a link can be opened."""
    link_views: Annotated[int, Field(ge=1, le=1000)] | None = None
    """How often a link can be opened; without it, once by each recipient."""
    ca: FilePath | None = None
    """A file with the certificate authority of a server that has none of the public ones."""

    _pool: SmtpPool | None = PrivateAttr(default=None)

    @field_validator("files", "content")
    @classmethod
    def _links_can_be_made(cls, value: str) -> str:
        if value == "link":
            insist_on_links()
        return value

    async def handle(self, message: Message, context: Context) -> str:
        """Send it; the words say to how many recipients."""
        text = context.render(self.text, message) or message.text
        if context.on in _WITHOUT_FILES:
            return await self._send(context, self._mail(message, context, text))
        text = text or await transcription(context.attachments)
        if self.content == "link" or (self.files == "link" and context.attachments):
            return await self._send_links(message, context, text)
        attached = self.files == "attach"
        files = await mail_files(context, self._domain) if attached else []
        mail = self._mail(message, context, text, files)
        try:
            if files:
                self._insist_on_size(mail)
            return await self._send(context, mail)
        except TooLargeError:
            if not files or context.links is None:
                raise
        return await self._send_links(message, context, text)

    async def amend(self, message: Message, context: Context) -> str:
        """Follow up in the thread of the first mail, which `context.first_key` identifies."""
        return await self.handle(message, context)

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

    @property
    def _recipients(self) -> list[str]:
        everybody = addresses([*self.to, *self.cc, *self.bcc])
        return list(dict.fromkeys(address.addr_spec for address in everybody))

    @property
    def _domain(self) -> str:
        return parse_address(self.sender).domain

    def _connections(self) -> SmtpPool:
        if self._pool is None:
            self._pool = SmtpPool(SmtpServer.parse(self.smtp.get_secret_value()), self.ca)
        return self._pool

    async def _send_links(self, message: Message, context: Context, text: str) -> str:
        """Send it with links instead of its files, or with one instead of everything."""
        if context.links is None:
            raise PermanentError("LINKS_URL is not set for this worker; links need it")
        views = self.link_views or len(self._recipients)
        about = about_links(views, self.link_expires, ZoneInfo(self.zone))
        linked = [] if self.files == "none" else context.attachments
        links = await linked_files(context.links, linked, self.link_expires, views)
        made = [link.address for link in links]
        page = self._page(message, context, text, links=links, about_links=about if links else "")
        if self.content == "link":
            address = await context.links.keep(
                "message.html",
                "text/html",
                in_one_chunk(page.html()),
                expires_in=self.link_expires,
                views=views,
            )
            made.append(address)
            page = private_page(message, context.on, address, about)
        headers = self._headers(message, context, page)
        try:
            return await self._send(context, Mail(headers, page.plain(), page.html(), []))
        except PermanentError:
            await context.links.withdraw(made)
            raise

    async def _send(self, context: Context, mail: Mail) -> str:
        recipients = self._recipients
        receipt = await self._connections().send(
            mail,
            parse_address(self.sender).addr_spec,
            recipients,
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

    def _insist_on_size(self, mail: Mail) -> None:
        if self.max_size is not None and mail.size > self.max_size:
            raise TooLargeError(
                f"the mail has {size_in_words(mail.size)}, more than max_size "
                f"({size_in_words(self.max_size)}); raise it, or set LINKS_URL to send links"
            )

    def _mail(
        self, message: Message, context: Context, text: str, files: Sequence[MailFile] = ()
    ) -> Mail:
        pictures = [Picture(file.content_id, file.name) for file in files if file.content_id]
        names = [file.name for file in files if not file.content_id]
        page = self._page(message, context, text, names, pictures)
        return Mail(self._headers(message, context, page), page.plain(), page.html(), files)

    def _page(
        self,
        message: Message,
        context: Context,
        text: str,
        names: Sequence[str] = (),
        pictures: Sequence[Picture] = (),
        links: Sequence[Link] = (),
        about_links: str = "",
    ) -> Page:
        return message_page(
            message,
            text,
            names,
            context.on,
            pictures=pictures,
            links=links,
            about_links=about_links,
            zone=ZoneInfo(self.zone),
        )

    def _headers(self, message: Message, context: Context, page: Page) -> dict[str, HeaderValue]:
        sender = parse_address(self.sender)
        known = message.creation_time is not None or context.on != CREATED
        root = thread_root(context.mailbox, message, sender.domain)
        subject = one_line(context.render(self.subject, message)) or self._title(
            message, context, page
        )
        headers: dict[str, HeaderValue] = {
            "From": sender,
            "To": addresses(self.to),
            "Cc": addresses(self.cc),
            "Reply-To": addresses(self.reply_to),
            "Subject": subject,
            "Date": format_datetime(context.at if known else _now()),
            # The same in every attempt, so that a mail program recognises a repeat.
            "Message-ID": message_id(context.idempotency_key, sender.domain),
            "In-Reply-To": root,
            "References": root,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "X-Ringpost-Type": one_line(message.type or "", 60) or "unknown",
            "X-Ringpost-Direction": one_line(message.direction or "", 60) or "unknown",
            "X-Ringpost-Mailbox": one_line(str(context.mailbox), 70),
            "X-Ringpost-Message": one_line(message.id, 60),
            "X-Ringpost-Route": one_line(context.route),
            "X-Ringpost-On": one_line(context.on, 60),
        }
        headers |= follow_up(context.first_key, subject, sender.domain, root)
        return {name: value for name, value in headers.items() if value}

    def _title(self, message: Message, context: Context, page: Page) -> str:
        """The subject where none is configured; a later mail has that of the first one."""
        if context.first_key and self.content != "link":
            return headline(message)
        return page.title


def _now() -> datetime:
    return datetime.now(UTC)
