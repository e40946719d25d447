"""`archive`: each message in a folder of its own, with its files and a manifest, for good.

Layout: `<to>/<account>/<extension>/<YYYY>/<MM>/<DD>/<type>-<message id>/`, the date in UTC. What
happens to the message later is kept below it, in `revisions/<time>-<what happened>/`.
"""

import asyncio
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import unquote, urlsplit

import orjson
from pydantic import AfterValidator, PrivateAttr

from message_store.errors import NotFound
from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.handlers.contract import (
    AttachmentFile,
    Context,
    Handler,
    PermanentError,
    TransientError,
)
from worker.handlers.durable import DurableFolders, Source, sizes_in
from worker.handlers.filenames import safe_id, safe_name
from worker.happenings import CREATED, DELETED

MESSAGE = "message.json"
REVISIONS = "revisions"
Result = TypeVar("Result")


def _destination(text: str) -> str:
    _folder_of(text)
    return text


def _folder_of(text: str) -> Path:
    scheme, separator, _ = text.partition("://")
    if not separator:
        if not text.strip():
            raise ValueError("empty; write a folder such as file:///srv/messages")
        return Path(text).absolute()
    if scheme.lower() != "file":
        raise ValueError(f"{scheme}:// is not a place archive can write to; use file:///folder")
    address = urlsplit(text)
    if address.netloc not in {"", "localhost"} or not address.path.startswith("/"):
        raise ValueError(
            f"file:// with a host ({address.netloc}); write file:///an/absolute/folder, "
            "or a plain path for one below the working directory"
        )
    return Path(unquote(address.path))


class Archive(Handler):
    """Keeps each message with its files in a folder, durable before it says so."""

    archives: ClassVar[bool] = True

    to: Annotated[str, AfterValidator(_destination)]
    """Where: file:///an/absolute/folder, or a path below the working directory."""

    _root: Path = PrivateAttr()
    _folders: DurableFolders = PrivateAttr()
    # Its own threads: syncing waits long, and the loop's few are wanted for name lookups.
    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    def model_post_init(self, _context: Any) -> None:
        """Resolve the destination once."""
        self._root = _folder_of(self.to)
        self._folders = DurableFolders(self._root)

    async def handle(self, message: Message, context: Context) -> str:
        """Write the message and its files; a message already there is recognised.

        A later happening is a revision: the message as it then is, and the files that are new.
        """
        folder = folder_of(self._root, context.mailbox, message)
        kept: dict[str, int] = {}
        if context.on != CREATED:
            kept = await self._in_thread(partial(self._kept, folder))
            folder /= f"{REVISIONS}/{_revision(context)}"
        sources = await _sources(context, kept)
        new = await self._in_thread(partial(self._write, folder, message, sources))
        what = "archived" if context.on == CREATED else f"revision ({context.on}) archived"
        count = f"{len(sources)} file{'' if len(sources) == 1 else 's'}"
        return f"{what} with {count}" if new else "already archived"

    async def check(self) -> str:
        """Try to write there; says how much room is left."""
        return await self._in_thread(self._try)

    async def close(self) -> None:
        """Let the threads go once they are through."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(8, thread_name_prefix="archive")
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _write(self, folder: Path, message: Message, sources: list[Source]) -> bool:
        text = Source(MESSAGE, "application/json", _as_json(message))
        try:
            return self._folders.write(folder, [text, *sources])
        except OSError as error:
            raise TransientError(self._words(error)) from error

    def _kept(self, folder: Path) -> dict[str, int]:
        try:
            return sizes_in(folder)
        except OSError as error:
            raise TransientError(self._words(error)) from error

    def _try(self) -> str:
        folder = self._root
        try:
            while not folder.exists() and folder != folder.parent:
                folder = folder.parent
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"ringpost")
                file.flush()
                os.fsync(file.fileno())
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise PermanentError(self._words(error)) from error
        return f"{self._root} can be written, {free / 1e9:.1f} GB free"

    def _words(self, error: OSError) -> str:
        remedy = {
            errno.ENOSPC: "make room there",
            errno.EDQUOT: "raise the quota or make room there",
            errno.EROFS: "mount it writable or change `to`",
        }.get(error.errno or 0, "see that it is a folder this user may write, or change `to`")
        return f"cannot write to {self._root}: {error.strerror or error}; {remedy}"


def folder_of(root: Path, mailbox: Mailbox, message: Message) -> Path:
    """The message's folder: date and ids from the message, every part made safe."""
    day = message.created
    return root.joinpath(
        safe_id(mailbox.account_id),
        safe_id(mailbox.extension_id),
        f"{day.year:04}",
        f"{day.month:02}",
        f"{day.day:02}",
        f"{safe_name(message.type or '', 'Message')[:40]}-{safe_id(message.id)}",
    )


def _revision(context: Context) -> str:
    moment = context.at.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H-%M-%S}.{moment.microsecond // 1000:03}Z-{safe_id(context.on)}"


async def _sources(context: Context, kept: Mapping[str, int]) -> list[Source]:
    """The files of the message but those that are kept already, by name and size in bytes."""
    sources = []
    for file in context.attachments:
        if file.name in kept and file.size in {None, kept[file.name]}:
            continue
        content = await _content(file, context)
        if content is not None:
            sources.append(Source(file.name, file.content_type, content))
    return sources


async def _content(file: AttachmentFile, context: Context) -> Path | bytes | None:
    try:
        return await file.content()
    except NotFound:
        if context.on != DELETED:
            raise
        context.log.warning("a file of a deleted message is gone", attachment=file.id)
        return None


def _as_json(message: Message) -> bytes:
    wire = message.to_wire()
    try:
        return orjson.dumps(wire, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits
        return json.dumps(wire, indent=2).encode() + b"\n"
