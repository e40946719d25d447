"""The spool: attachments of open messages on local disk, each downloaded once.

A cache: nothing is synced, and all of it may be deleted at any time. Small attachments stay in
memory while there is room: files that come and go by the hundred are dear to a file system.
"""

import asyncio
import contextlib
import copy
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, Self, TypeVar
from weakref import WeakValueDictionary

from message_store.errors import BadAnswer, BadRequest
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.protocol import MessageStoreAccess
from worker.free_space import DiskFullError
from worker.handlers.filenames import safe_id
from worker.partial_file import PartialFile
from worker.small_contents import SMALL, SmallContents

P = ParamSpec("P")
T = TypeVar("T")

GATHER = 1024 * 1024
"""Bytes gathered in memory before they go to disk."""


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A complete attachment on local disk; `size` in bytes, `content_type` as the server said."""

    path: Path
    size: int
    content_type: str | None


class Spool:
    """Fetches attachments into `folder`: `<boot>/<account>/<extension>/<message>/<attachment>`."""

    def __init__(self, folder: Path, store: MessageStoreAccess) -> None:
        self._folder = folder
        # Unsynced files may hold anything after a power failure, so each boot has its own.
        self._boot = folder / _boot_id()
        self._small = SmallContents()
        self._store = store
        self._locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    def through(self, store: MessageStoreAccess) -> Self:
        """The same spool; what is missing is downloaded through this store."""
        twin = copy.copy(self)
        twin._store = store
        return twin

    async def fetch(
        self, mailbox: Mailbox, message: Message, attachment: Attachment
    ) -> SpooledFile:
        """The attachment as a local file, downloaded now if it is not there yet.

        A broken download is taken up where it ended. Raises RingCentralError or OSError.
        """
        target = self._target(mailbox, message, attachment)
        async with self._lock(target):
            found = await self._found(mailbox, message, attachment, target)
            if isinstance(found, SpooledFile):
                return found
            size = await _in_thread(_finish, target, None, [found], None)
            return SpooledFile(target, size, attachment.content_type)

    async def content(
        self, mailbox: Mailbox, message: Message, attachment: Attachment
    ) -> SpooledFile | bytes:
        """The attachment, in memory if it is small, else as a local file; as `fetch`."""
        target = self._target(mailbox, message, attachment)
        async with self._lock(target):
            return await self._found(mailbox, message, attachment, target)

    async def discard(self, mailbox: Mailbox, message_id: str) -> None:
        """Drop a message's files, if there are any."""
        folder = self._folder_of(mailbox, message_id)
        self._small.discard(folder)
        if folder.exists():
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def sweep(self, older_than: timedelta) -> int:
        """Drop files untouched for so long (a killed worker leaves some); says how many."""
        seconds = older_than.total_seconds()
        return self._small.sweep(seconds) + await asyncio.to_thread(_sweep, self._folder, seconds)

    def _folder_of(self, mailbox: Mailbox, message_id: str) -> Path:
        parts = (mailbox.account_id, mailbox.extension_id, message_id)
        return self._boot.joinpath(*map(safe_id, parts))

    def _target(self, mailbox: Mailbox, message: Message, attachment: Attachment) -> Path:
        return self._folder_of(mailbox, message.id) / safe_id(attachment.id)

    def _lock(self, target: Path) -> asyncio.Lock:
        return self._locks.setdefault(target, asyncio.Lock())

    async def _found(
        self, mailbox: Mailbox, message: Message, attachment: Attachment, target: Path
    ) -> SpooledFile | bytes:
        small = self._small.get(target)
        if small is not None:
            return small
        complete = _size_of(target)
        if complete is not None:
            return SpooledFile(target, complete, attachment.content_type)
        if PartialFile.exists(target):
            part = await _in_thread(PartialFile.open, target)
            # A partial file longer than the content is refused (416) and begun anew.
            with contextlib.suppress(BadRequest):
                return await self._download(mailbox, message, attachment, target, part)
        return await self._download(mailbox, message, attachment, target, None)

    async def _download(
        self,
        mailbox: Mailbox,
        message: Message,
        attachment: Attachment,
        target: Path,
        part: PartialFile | None,
    ) -> SpooledFile | bytes:
        gathered: list[bytes] = []
        waiting = 0
        offset = part.size if part else 0
        try:
            async with self._store.content(
                mailbox, message.id, attachment, offset=offset
            ) as content:
                async for chunk in content:
                    gathered.append(chunk)
                    waiting += len(chunk)
                    if waiting >= GATHER:
                        if part is None:
                            part = await _in_thread(_begin, target)
                        await _in_thread(part.write, gathered)
                        gathered, waiting = [], 0
                if part is None and waiting <= SMALL:
                    whole = b"".join(gathered)
                    _check_length(waiting, content.size)
                    if self._small.keep(target, whole):
                        return whole
                size = await _in_thread(_finish, target, part, gathered, content.size)
        except BaseException as error:
            if part is not None:
                # Refused or of another length: this is no beginning of what the server has.
                # And beginnings that all wait for each other's room would wait for ever.
                if isinstance(error, BadAnswer | BadRequest | DiskFullError):
                    part.restart()
                part.close()
            raise
        return SpooledFile(target, size, content.content_type)


async def _in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`, but who is cancelled waits until the thread has done it.

    It would write on after its file is closed, and by then the descriptor may be another file's.
    """
    work = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # nobody asks for it any more
        raise cancelled
    return work.result()


def _size_of(target: Path) -> int | None:
    try:
        return target.stat().st_size
    except FileNotFoundError:
        return None


def _begin(target: Path) -> PartialFile:
    folders = [target.parent, *target.parent.parents]
    missing = [folder for folder in folders if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    part = PartialFile.open(target)
    part.restart()
    return part


def _finish(
    target: Path, part: PartialFile | None, gathered: list[bytes], expected: int | None
) -> int:
    file = part or _begin(target)
    try:
        file.write(gathered)
        _check_length(file.size, expected)
        return file.finish()
    except BaseException:
        if part is None:
            file.close()
        raise


def _check_length(size: int, expected: int | None) -> None:
    if expected is not None and size != expected:
        raise BadAnswer(f"an attachment came with {size} bytes instead of {expected}")


def _sweep(folder: Path, seconds: float) -> int:
    oldest = time.time() - seconds
    # Deepest first, so that a folder is empty when its turn comes; and looked at before anything
    # is dropped, because that makes the folder above look young.
    old = [path for path in sorted(folder.rglob("*"), reverse=True) if _changed(path) < oldest]
    dropped = 0
    for path in old:
        with contextlib.suppress(OSError):  # in use, not empty, or gone meanwhile
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
                dropped += 1
    return dropped


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return secrets.token_hex(8)
