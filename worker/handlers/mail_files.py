"""The files of a message as parts of a mail, or behind links."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from worker.handlers.contract import AttachmentFile, Context, Links
from worker.handlers.mail_html import Link
from worker.handlers.mail_options import size_in_words
from worker.handlers.mime import MailFile

# What every mail program shows; anything else is a file.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif"})
_PICTURE_TYPE = "MmsAttachment"


async def mail_files(context: Context, domain: str) -> list[MailFile]:
    """All files of the message, downloaded; pictures of an MMS are to be shown."""
    return [
        await _mail_file(file, f"{number}.{context.idempotency_key[:32]}.ringpost@{domain}")
        for number, file in enumerate(context.attachments, start=1)
    ]


async def linked_files(
    links: Links, files: Sequence[AttachmentFile], expires_in: timedelta, views: int
) -> list[Link]:
    """A link to each of the files."""
    made = []
    for file in files:
        address = await links.keep(
            file.name, file.content_type, file.open(), expires_in=expires_in, views=views
        )
        _, size = await _content(file)
        made.append(Link(file.name, size_in_words(size), address))
    return made


async def in_one_chunk(text: str) -> AsyncIterator[bytes]:
    """The text as a content of its own."""
    yield text.encode()


async def transcription(attachments: Sequence[AttachmentFile]) -> str:
    """What was said in a voicemail, if RingCentral has written it down."""
    for file in attachments:
        if file.type == "AudioTranscription":
            content = await file.content()
            if isinstance(content, bytes):
                return content.decode("utf-8-sig", "replace").strip()
    return ""


async def _mail_file(file: AttachmentFile, content_id: str) -> MailFile:
    content, size = await _content(file)
    shown = file.type == _PICTURE_TYPE and file.content_type in _SHOWN and size > 0
    return MailFile(file.name, file.content_type, content, size, content_id if shown else "")


async def _content(file: AttachmentFile) -> tuple[Path | bytes, int]:
    content = await file.content()
    return content, len(content) if isinstance(content, bytes) else content.stat().st_size
