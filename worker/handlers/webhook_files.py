"""The files of a message as `webhook` sends them: in the document, behind links, or in a form."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from worker.handlers.contract import AttachmentFile, Links, PermanentError
from worker.handlers.message_document import file_entry
from worker.handlers.multipart import FilePart, FormBody

MOST_INLINE = 4 * 1024 * 1024


async def form(document: dict[str, Any], files: Sequence[AttachmentFile]) -> FormBody:
    """A form with the document and the files."""
    parts = []
    for file in files:
        content = await file.content()
        part = FilePart(file.name, file.content_type, content, _size(content))
        parts.append(part)
        document["data"]["files"].append(file_entry(file, part.size))
    return FormBody(document, parts)


async def add_inline(document: dict[str, Any], files: Sequence[AttachmentFile]) -> None:
    """Put the files into the document; raises PermanentError if they are too large for it."""
    room = MOST_INLINE
    for file in files:
        size = _size(await file.content())
        room -= size
        if room < 0:
            raise PermanentError(
                f"the files are larger than {MOST_INLINE // 2**20} MiB together; "
                'send them with files = "multipart"'
            )
        encoded = base64.b64encode(await _whole(file)).decode()
        document["data"]["files"].append({**file_entry(file, size), "content": encoded})


async def add_links(
    document: dict[str, Any],
    files: Sequence[AttachmentFile],
    links: Links | None,
    expires_in: timedelta,
    views: int,
) -> list[str]:
    """Put links to the files into the document; says which."""
    if not files:
        return []
    if links is None:
        raise PermanentError("links need LINKS_URL and a Redis that can be reached")
    made = []
    for file in files:
        size = _size(await file.content())
        url = await links.keep(
            file.name, file.content_type, file.open(), expires_in=expires_in, views=views
        )
        made.append(url)
        document["data"]["files"].append({**file_entry(file, size), "url": url})
    return made


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


async def _whole(file: AttachmentFile) -> bytes:
    return b"".join([chunk async for chunk in file.open()])
