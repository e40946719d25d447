"""Saves the attachments of messages to a folder, under safe names, whole or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from message_store.batch import MOST_READ, chunks
from message_store.client import MessageStore
from message_store.errors import (
    LoginRefused,
    PermissionMissing,
    RingCentralError,
    TokenRejected,
)
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from ringpost.bars import Bar
from ringpost.mailbox_by_hand import Opened, in_words
from ringpost.selection import Selection, matching
from ringpost.waiting import patiently
from worker.free_space import require_room
from worker.handlers.filenames import attachment_names, safe_id

# What is refused for one message will be refused for all.
_HOPELESS = (LoginRefused, PermissionMissing, TokenRejected)


class Download:
    """One run of the command; `saved` is told of each file, also of one that was there already."""

    def __init__(self, folder: Path, saved: Callable[[Path], None]) -> None:
        self._folder = folder
        self._saved = saved
        self.files: list[Path] = []
        self.problems: dict[str, str] = {}

    def how_far(self) -> str:
        """What has been saved when it ended before its time; nothing if nothing has."""
        if not self.files:
            return ""
        saved = f"saved so far: {len(self.files):,} files"
        return f"{saved}; the same command goes on where this one ended"

    async def run(self, opened: Opened, selected: Selection, bar: Bar) -> None:
        """Save what belongs to the messages; what one cannot give costs no other."""
        async for mailbox, message in self._messages(opened, selected, bar):
            try:
                for part, name in zip(message.files, attachment_names(message.files), strict=True):
                    path = self._folder / f"{safe_id(message.id)}-{name}"
                    bar.name(f"saving {path.name}")
                    if not await asyncio.to_thread(_is_there, path, part):
                        await self._save(opened.store, mailbox, message.id, part, path, bar)
                    self.files.append(path)
                    with bar.away():
                        self._saved(path)
            except _HOPELESS:
                raise
            except RingCentralError as error:
                self.problems[message.id] = in_words(error)

    async def _messages(
        self, opened: Opened, selected: Selection, bar: Bar
    ) -> AsyncIterator[tuple[Mailbox, Message]]:
        if not selected.ids:
            async for mailbox, page in matching(opened, selected.filters, bar):
                bar.advance(page.looked_at - len(page.messages))
                for message in page.messages:
                    yield mailbox, message
                    bar.advance(1)
            return
        (mailbox,) = opened.mailboxes
        bar.start_again(len(selected.ids))
        for ids in chunks(selected.ids, MOST_READ):
            found = await _read(opened.store, mailbox, ids, bar)
            for message_id in ids:
                outcome = found.get(message_id)
                if isinstance(outcome, Message):
                    yield mailbox, outcome
                else:
                    words = in_words(outcome) if outcome else "RingCentral does not speak of it"
                    self.problems[message_id] = words
                bar.advance(1)

    async def _save(
        self,
        store: MessageStore,
        mailbox: Mailbox,
        message_id: str,
        part: Attachment,
        path: Path,
        bar: Bar,
    ) -> None:
        await patiently(lambda: _stream(store, mailbox, message_id, part, path), bar.pause)


async def _read(
    store: MessageStore, mailbox: Mailbox, ids: list[str], bar: Bar
) -> dict[str, Message | RingCentralError]:
    return await patiently(lambda: store.get_many(mailbox, ids), bar.pause)


def _is_there(path: Path, part: Attachment) -> bool:
    """Whether an earlier run has saved it: a file of this name is always whole."""
    return part.size is not None and path.is_file() and path.stat().st_size == part.size


async def _stream(
    store: MessageStore, mailbox: Mailbox, message_id: str, attachment: Attachment, path: Path
) -> None:
    # No attachment has a name that begins with a dot: its file cannot be this one.
    unfinished = path.with_name(f".{path.name}.part")
    file = await asyncio.to_thread(unfinished.open, "wb")
    try:
        async with store.content(mailbox, message_id, attachment) as content:
            async for chunk in content:
                await asyncio.to_thread(_write, file, chunk)
        await asyncio.to_thread(file.close)
        await asyncio.to_thread(unfinished.replace, path)
    finally:
        file.close()
        await asyncio.to_thread(unfinished.unlink, missing_ok=True)


def _write(file: BinaryIO, chunk: bytes) -> None:
    require_room(file.fileno(), len(chunk))
    file.write(chunk)
