"""`archive`: each message in a folder of its own, with its files and a manifest, for good.

Layout: `<to>/<account>/<extension>/<YYYY>/<MM>/<DD>/<type>-<message id>/`, the date in UTC. What
happens to the message later is kept below it, in `revisions/<time>-<what happened>/`.
"""

import asyncio
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import unquote, urlsplit

import orjson
from pydantic import AfterValidator, BeforeValidator, PrivateAttr

from message_store.errors import NotFound
from message_store.message import Message
from worker.archive.chain_writer import ChainWriter
from worker.archive.layout import MESSAGE, REVISIONS, folder_of
from worker.durations import parse_duration
from worker.handlers.contract import (
    AttachmentFile,
    Context,
    Handler,
    PermanentError,
    TransientError,
)
from worker.handlers.durable import CommittedOtherwiseError, DurableFolders, Source, sizes_in
from worker.handlers.filenames import safe_id
from worker.happenings import CREATED, DELETED
from worker.problems import Wrong, in_words

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


def _length(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise Wrong(f'must be a length of time such as "7y", not {in_words(value)}')
    return parse_duration(value)


class Archive(Handler):
    """Keeps each message with its files in a folder, durable before it says so."""

    archives: ClassVar[bool] = True

    to: Annotated[str, AfterValidator(_destination)]
    """Where: file:///an/absolute/folder, or a path below the working directory."""
    keep: Annotated[timedelta | None, BeforeValidator(_length)] = None
    """How long a message is kept, such as "7y"; without it, for ever."""

    _root: Path = PrivateAttr()
    _folders: DurableFolders = PrivateAttr()
    _chains: ChainWriter = PrivateAttr()
    # Its own threads: syncing waits long, and the loop's few are wanted for name lookups.
    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    def model_post_init(self, _context: Any) -> None:
        """Resolve the destination once."""
        self._root = _folder_of(self.to)
        self._folders = DurableFolders(self._root)
        self._chains = ChainWriter(self._root)

    @property
    def root(self) -> Path:
        """The folder it writes to."""
        return self._root

    async def handle(self, message: Message, context: Context) -> str:
        """Write the message and its files; a message already there is recognised.

        A later happening is a revision: the message as it then is, and the files that are new.
        """
        original = folder_of(self._root, context.mailbox, message)
        text = _as_json(message)
        if context.on == CREATED:
            places = [original, original / REVISIONS / _changed(message, context, text)]
        else:
            revision = original / REVISIONS / _revision(context)
            places = [revision, revision.with_name(f"{revision.name}-{_mark(text)}")]
        for folder in places:
            kept: dict[str, int] = {}
            if folder != original:
                kept = await self._in_thread(partial(self._kept, original))
            sources = await _sources(context, kept)
            try:
                new = await self._in_thread(partial(self._write, folder, text, sources))
            except CommittedOtherwiseError:
                continue
            if not new:
                break
            word = "changed" if context.on == CREATED else context.on
            what = "archived" if folder == original else f"revision ({word}) archived"
            return f"{what} with {len(sources)} file{'' if len(sources) == 1 else 's'}"
        return "already archived"

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

    def _write(self, folder: Path, text: bytes, sources: list[Source]) -> bool:
        """Commit a folder and add it to the chain.

        Raises CommittedOtherwiseError if another state of the message is committed there, which is
        in the chain then.
        """
        message = Source(MESSAGE, "application/json", text)
        try:
            try:
                new = self._folders.write(folder, [message, *sources])
            except CommittedOtherwiseError:
                self._chains.record(folder, again=True)
                if _holds(folder, text):
                    return False
                raise
            self._chains.record(folder, again=not new)
            return new
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


def _revision(context: Context) -> str:
    return f"{_stamp(context.at)}-{safe_id(context.on)}"


def _stamp(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H-%M-%S}.{moment.microsecond // 1000:03}Z"


def _changed(message: Message, context: Context, text: bytes) -> str:
    """The revision of a message that is archived again and is not what it was."""
    return f"{_stamp(message.last_modified_time or context.at)}-changed-{_mark(text)}"


def _mark(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:8]


def _holds(folder: Path, text: bytes) -> bool:
    """Whether a folder has the message like this already."""
    try:
        return (folder / MESSAGE).read_bytes() == text
    except FileNotFoundError:
        return False


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
