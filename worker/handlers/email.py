"""`email`: each message as a mail that reads well, with its files, handed over by SMTP.

A mail goes to all its recipients or, where some are refused for good, to the others, and the
outcome says so; it is never sent twice to those who have it. A recipient refused for now holds
the mail back for all, three attempts long.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from message_store.message import Message
from worker.handlers.contract import Context, Handler, PermanentError
from worker.handlers.mail_addresses import MailAddress, addresses, parse_address
from worker.handlers.mail_chapters import (
    page_about,
    page_about_all,
    read_chapter,
    read_what_is_left,
)
from worker.handlers.mail_digest import Daily, belongs_to, next_time
from worker.handlers.mail_files import in_one_chunk, linked_files
from worker.handlers.mail_headers import Addressed, Letter, headers_of
from worker.handlers.mail_html import Link, Page
from worker.handlers.mail_links import about_links, insist_on_links
from worker.handlers.mail_options import Duration, Size, Zone, size_in_words
from worker.handlers.mail_private import private_page
from worker.handlers.mail_text import headline_of_first
from worker.handlers.mime import Mail, MailFile
from worker.handlers.plain_text import one_line
from worker.handlers.rendering import TemplateText
from worker.handlers.smtp import TooLargeError
from worker.handlers.smtp_pool import SmtpPool
from worker.handlers.smtp_server import SmtpServer

HOLD_ATTEMPTS = 3


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
    digest: Daily | None = None
    """When messages of one conversation go out in one mail, such as "daily 18:00"."""
    ca: FilePath | None = None
    """A file with the certificate authority of a server that has none of the public ones."""

    _pool: SmtpPool | None = PrivateAttr(default=None)

    @field_validator("files", "content")
    @classmethod
    def _links_can_be_made(cls, value: str) -> str:
        if value == "link":
            insist_on_links()
        return value

    @field_validator("digest")
    @classmethod
    def _digests_are_no_secret(cls, value: time | None, options: ValidationInfo) -> time | None:
        if value is not None and options.data.get("content") == "link":
            raise ValueError('does not go with content = "link"; leave one of them out')
        return value

    async def handle(self, message: Message, context: Context) -> str:
        """Send it, or have it sent with others; the words say to how many recipients."""
        if self.digest is None:
            return await self._send_messages([(message, context)], context.idempotency_key)
        due = next_time(self.digest, ZoneInfo(self.zone), datetime.now(UTC))
        return await context.together(belongs_to(message), due, self._send_messages)

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

    async def _send_messages(
        self, messages: Sequence[tuple[Message, Context]], identity: str
    ) -> str:
        """Send one mail about these messages, all or none."""
        read = read_chapter if self.digest is None else read_what_is_left
        chapters = [
            await read(one, of, of.render(self.text, one), self.files, self._domain)
            for one, of in messages
        ]
        newest, context = messages[-1]
        letter = Letter(newest, context, identity, chapters)
        files = [file for chapter in chapters for file in chapter.files]
        has_links = self.files == "link" and any(one.attachments for one in chapters)
        if self.content == "full" and not has_links:
            mail = self._mail(letter, self._page(letter, files), files)
            try:
                if files:
                    self._insist_on_size(mail)
                return await self._send(letter, mail)
            except TooLargeError:
                if not files or context.links is None:
                    raise
        return await self._send_links(letter)

    async def _send_links(self, letter: Letter) -> str:
        """Send it with links instead of its files, or with one instead of everything."""
        context = letter.context
        if context.links is None:
            raise PermanentError("links need LINKS_URL and a Redis that can be reached")
        views = self.link_views or len(self._recipients)
        about = about_links(views, self.link_expires, ZoneInfo(self.zone))
        attachments = [file for chapter in letter.chapters for file in chapter.attachments]
        links = await linked_files(context.links, attachments, self.link_expires, views)
        made = [link.address for link in links]
        page = self._page(letter, links=links, about=about if links else "")
        if self.content == "link":
            address = await context.links.keep(
                "message.html",
                "text/html",
                in_one_chunk(page.html()),
                expires_in=self.link_expires,
                views=views,
            )
            made.append(address)
            page = private_page(letter.newest, context.on, address, about)
        try:
            return await self._send(letter, self._mail(letter, page), links=len(made))
        except PermanentError:
            await context.links.withdraw(made)
            raise

    async def _send(self, letter: Letter, mail: Mail, links: int = 0) -> str:
        context, recipients = letter.context, self._recipients
        receipt = await self._connections().send(
            mail,
            parse_address(self.sender).addr_spec,
            recipients,
            hold=context.attempt <= HOLD_ATTEMPTS,
        )
        more = f", {len(letter.chapters)} messages together" if len(letter.chapters) > 1 else ""
        more += f", with {links} link{'' if links == 1 else 's'}" if links else ""
        if receipt.refused:
            context.log.warning(
                "some recipients refused", refused=len(receipt.refused), reply=receipt.refused[0]
            )
            return (
                f"mailed to {receipt.accepted} of {len(recipients)} recipients{more}; "
                f"refused: {receipt.refused[0]}"
            )
        return f"mailed to {len(recipients)} recipient{'' if len(recipients) == 1 else 's'}{more}"

    def _insist_on_size(self, mail: Mail) -> None:
        if self.max_size is not None and mail.size > self.max_size:
            raise TooLargeError(
                f"the mail has {size_in_words(mail.size)}, more than max_size "
                f"({size_in_words(self.max_size)}); raise it, or set LINKS_URL to send links"
            )

    def _page(
        self,
        letter: Letter,
        files: Sequence[MailFile] = (),
        links: Sequence[Link] = (),
        about: str = "",
    ) -> Page:
        zone = ZoneInfo(self.zone)
        if self.digest is None:
            return page_about(letter.chapters[0], zone, files, links, about)
        return page_about_all(letter.chapters, zone, files, links, about)

    def _mail(self, letter: Letter, page: Page, files: Sequence[MailFile] = ()) -> Mail:
        # what is gathered follows nothing: each message may be in another mail by now
        first_key = letter.context.first_key if self.digest is None else None
        subject = one_line(letter.context.render(self.subject, letter.newest))
        if not subject:
            # a later mail has the subject of the first one
            has_first = first_key is not None and self.content != "link"
            subject = headline_of_first(letter.newest) if has_first else page.title
        addressed = Addressed(
            parse_address(self.sender),
            addresses(self.to),
            addresses(self.cc),
            addresses(self.reply_to),
        )
        headers = headers_of(letter, addressed, subject, first_key)
        return Mail(headers, page.plain(), page.html(), files)
