"""Saves the attachments of messages to a folder, under safe names, whole or not at all."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from rich.progress import Progress, TaskID

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from ringpost.mailbox_by_hand import in_words, open_mailbox
from ringpost.output import progress
from worker.free_space import require_room
from worker.handlers.filenames import attachment_names, safe_id


async def save(name: str, ids: Sequence[str], folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The files saved, and by message id why others were not."""
    files: list[Path] = []
    problems: dict[str, str] = {}
    wanted = list(dict.fromkeys(ids))
    async with open_mailbox(name) as (store, mailbox):
        found = await store.get_many(mailbox, wanted)
        for message_id in wanted:
            message = found.get(message_id)
            if isinstance(message, Message):
                try:
                    files += await _save_files(store, mailbox, message, folder)
                except RingCentralError as error:
                    problems[message_id] = in_words(error)
            else:
                words = in_words(message) if message else "RingCentral does not speak of it"
                problems[message_id] = words
    return files, problems


async def _save_files(
    store: MessageStore, mailbox: Mailbox, message: Message, folder: Path
) -> list[Path]:
    saved = []
    for part, name in zip(message.files, attachment_names(message.files), strict=True):
        path = folder / f"{safe_id(message.id)}-{name}"
        with progress() as bars:
            bar = bars.add_task(path.name, total=part.size)

            def advance(count: int, bars: Progress = bars, bar: TaskID = bar) -> None:
                bars.advance(bar, count)

            await _stream(store, mailbox, message.id, part, path, advance)
        saved.append(path)
    return saved


async def _stream(
    store: MessageStore,
    mailbox: Mailbox,
    message_id: str,
    attachment: Attachment,
    path: Path,
    advance: Callable[[int], None],
) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    file = await asyncio.to_thread(unfinished.open, "wb")
    try:
        async with store.content(mailbox, message_id, attachment) as content:
            async for chunk in content:
                await asyncio.to_thread(_write, file, chunk)
                advance(len(chunk))
        await asyncio.to_thread(file.close)
        await asyncio.to_thread(unfinished.replace, path)
    finally:
        file.close()
        await asyncio.to_thread(unfinished.unlink, missing_ok=True)


def _write(file: BinaryIO, chunk: bytes) -> None:
    require_room(file.fileno(), len(chunk))
    file.write(chunk)
