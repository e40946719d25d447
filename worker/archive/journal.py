"""A message as a mail beside its `message.json`, the same bytes in every attempt."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.archive.eml import as_mail
from worker.archive.layout import REVISIONS, Archived
from worker.handlers.durable import Source
from worker.handlers.media_types import safe_media_type
from worker.handlers.mime import MailFile

_LARGEST_TEXT = 256 * 1024


async def write_mail(
    path: Path, folder: Path, mailbox: Mailbox, message: Message, files: Sequence[Source]
) -> None:
    """Write the mail of a folder's message with its files; raises TransientError and OSError."""
    mark = hashlib.sha256(f"{mailbox}/{folder.as_posix()}".encode()).hexdigest()[:32]
    # The mail's id is made of it, and is as long as that of a message with a plain name.
    name = f"{folder.name[:45]}-{mark[:12]}" if folder.parent.name == REVISIONS else folder.name
    day = message.created.date()
    archived = Archived(mailbox, message.id, message.type or "", day, folder.with_name(name))
    mail_files = [_file(source) for source in files]
    mail = as_mail(archived, message, _said(message, files), mail_files, boundary=mark)
    with path.open("wb") as target:
        async for chunk in mail.chunks(stuffed=False):
            await asyncio.to_thread(target.write, chunk)


def _file(source: Source) -> MailFile:
    content = source.content
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    media_type = safe_media_type(source.content_type, source.name)
    return MailFile(source.name, media_type, content, size)


def _said(message: Message, files: Sequence[Source]) -> str:
    """What was said in a voicemail, if RingCentral has written it down."""
    for source in files:
        if message.type == "VoiceMail" and source.content_type == "text/plain":
            content = source.content
            text = content if isinstance(content, bytes) else content.read_bytes()
            return text[:_LARGEST_TEXT].decode("utf-8-sig", "replace")
    return ""
