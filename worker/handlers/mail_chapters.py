"""What a mail tells of each of its messages, and the page that is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from message_store.errors import BadAnswer, NotFound, NotReady, ServerError
from message_store.message import Message, Party
from worker.handlers.contract import AttachmentFile, Context
from worker.handlers.mail_files import mail_files, transcription
from worker.handlers.mail_html import Entry, Link, Page, Picture
from worker.handlers.mail_text import headline, message_page, moment
from worker.handlers.mime import MailFile
from worker.handlers.plain_text import clean, one_line
from worker.happenings import DELETED, DELIVERED, READ

# Nothing of these is in the files, and those of a deleted message may be gone.
_WITHOUT_FILES = frozenset({DELIVERED, READ, DELETED})
_GONE = "Files of some of these messages could not be had any more."
_PATIENT_ATTEMPTS = 4  # an hour, by the schedule


@dataclass(frozen=True, slots=True)
class Chapter:
    """One message, what happened to it, its words, and its files: at RingCentral and downloaded."""

    message: Message
    on: str
    text: str
    attachments: Sequence[AttachmentFile] = ()
    files: Sequence[MailFile] = ()
    is_incomplete: bool = False

    @property
    def pictures(self) -> list[Picture]:
        """Those of the files that stand on the page."""
        return [Picture(file.content_id, file.name) for file in self.files if file.content_id]

    def entry(self, zone: ZoneInfo, *, with_pictures: bool) -> Entry:
        """What a page about several messages says of it."""
        when, what = moment(self.message, zone), headline(self.message, self.on)
        return Entry(
            heading=one_line(f"{when}: {what}" if when else what),
            text=clean(self.text or self.message.text),
            pictures=self.pictures if with_pictures else (),
        )


async def read_chapter(
    message: Message, context: Context, text: str, files: str, domain: str
) -> Chapter:
    """The chapter about a message; `text` takes the place of its own, `files` is the option.

    Raises RingCentralError if a file cannot be had (now).
    """
    if context.on in _WITHOUT_FILES:
        return Chapter(message, context.on, text)
    text = text or message.text or message.transcription or ""
    text = text or await transcription(context.attachments)
    attachments = [] if files == "none" else context.attachments
    downloaded = await mail_files(context, domain) if files == "attach" else []
    return Chapter(message, context.on, text, attachments, downloaded)


async def read_what_is_left(
    message: Message, context: Context, text: str, files: str, domain: str
) -> Chapter:
    """The same without files that are gone: one message must not hold up the others.

    Those that RingCentral only fails to give are waited for, some attempts long.
    """
    try:
        chapter = await read_chapter(message, context, text, files, domain)
        for file in chapter.attachments:
            await file.content()  # what is to be behind a link has to be there as well
        return chapter
    except NotFound:
        pass
    except (ServerError, BadAnswer, NotReady):
        if context.attempt <= _PATIENT_ATTEMPTS:
            raise
    return Chapter(message, context.on, text, is_incomplete=True)


def page_about(
    chapter: Chapter,
    zone: ZoneInfo,
    files: Sequence[MailFile] = (),
    links: Sequence[Link] = (),
    about_links: str = "",
) -> Page:
    """The page about one message with these of its files, or links to them."""
    return message_page(
        chapter.message,
        chapter.text,
        _names(files),
        chapter.on,
        pictures=chapter.pictures if files else (),
        links=links,
        about_links=about_links,
        zone=zone,
    )


def page_about_all(
    chapters: Sequence[Chapter],
    zone: ZoneInfo,
    files: Sequence[MailFile] = (),
    links: Sequence[Link] = (),
    about_links: str = "",
) -> Page:
    """The page about several messages, the oldest first."""
    count = f"{len(chapters)} message{'' if len(chapters) == 1 else 's'} with"
    whom = one_line(", ".join(map(str, other_parties(chapters[-1].message))) or "unknown")
    names = _names(files)
    files_fact = ("Files" if len(names) > 1 else "File", one_line(", ".join(names), 500))
    return Page(
        title=one_line(f"{count} {whom}"),
        kind=count,
        heading=whom,
        entries=[one.entry(zone, with_pictures=bool(files)) for one in chapters],
        note=_GONE if any(one.is_incomplete for one in chapters) else "",
        links=links,
        about_links=about_links,
        facts=[files_fact] if names else [],
    )


def other_parties(message: Message) -> Sequence[Party]:
    """Who is at the other end: the sender, or of what was sent the recipients."""
    if message.direction == "Outbound":
        return message.to
    return [message.from_] if message.from_ else []


def _names(files: Sequence[MailFile]) -> list[str]:
    return [file.name for file in files if not file.content_id]
