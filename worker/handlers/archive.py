"""`archive`: each message in a folder of its own, with its files and a manifest, for good.

Layout: `<to>/<account>/<extension>/<YYYY>/<MM>/<DD>/<type>-<message id>/`, the date in UTC. What
happens to the message later is kept below it, in `revisions/<time>-<what happened>/`.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import orjson
from pydantic import AfterValidator, BeforeValidator, PrivateAttr, SecretStr, model_validator

from message_store.errors import NotFound
from message_store.message import Message
from worker.archive.bucket import Bucket, Lock
from worker.archive.buckets import OPTIONS, Address, BucketError, parse_address
from worker.archive.destination import Destination
from worker.archive.in_bucket import InBucket
from worker.archive.journal import write_mail
from worker.archive.layout import MAIL, MESSAGE, REVISIONS, folder_of
from worker.archive.on_disk import OnDisk
from worker.durations import parse_duration
from worker.handlers.contract import (
    AttachmentFile,
    Context,
    Handler,
    PermanentError,
    TransientError,
)
from worker.handlers.durable import CommittedOtherwiseError, Source
from worker.handlers.filenames import safe_id
from worker.handlers.folder_address import parse_folder
from worker.happenings import CREATED, DELETED
from worker.problems import Wrong, in_words

Result = TypeVar("Result")
Format = Literal["json", "eml"]


def _destination(text: str) -> str:
    _place_of(text)
    return text


def _place_of(text: str) -> Path | Address:
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() != "file":
        return parse_address(text)
    return parse_folder(text)


def _length(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise Wrong(f'must be a length of time such as "7y", not {in_words(value)}')
    return parse_duration(value)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Formats = Annotated[
    frozenset[Format],
    BeforeValidator(_listed, json_schema_input_type=Format | frozenset[Format]),
]
Length = Annotated[timedelta | None, BeforeValidator(_length, json_schema_input_type=str | None)]


class Archive(Handler):
    """Keeps each message with its files in a folder, durable before it says so."""

    archives: ClassVar[bool] = True

    to: Annotated[str, AfterValidator(_destination)]
    """Where: file:///an/absolute/folder, a path below the working directory, or a bucket:
    s3://bucket/folder, gs://bucket/folder, az://container/folder."""
    format: Formats = frozenset({"json"})
    """"json" for message.json with the files beside it, "eml" for a mail with the files inside."""
    keep: Length = None
    """How long a message is kept, such as "7y"; without it, for ever. Not for buckets."""
    lock: Length = None
    """How long S3 itself keeps each object from being changed or removed, such as "7y"."""
    lock_mode: Literal["governance", "compliance"] = "governance"
    """Whether a lock can be lifted by who has that right ("governance"), or by nobody."""
    endpoint: str | None = None
    """The address of a store that is not Amazon's or Microsoft's own."""
    region: str | None = None
    """The region of an S3 bucket."""
    access_key_id: SecretStr | None = None
    """S3; without keys, those of the environment or of the machine."""
    secret_access_key: SecretStr | None = None
    """S3."""
    service_account_key: SecretStr | None = None
    """Google: the JSON of a service account's key."""
    account_name: str | None = None
    """Azure: the storage account."""
    account_key: SecretStr | None = None
    """Azure."""

    _root: Path | None = PrivateAttr(default=None)
    _bucket: Bucket | None = PrivateAttr(default=None)
    _destination: Destination = PrivateAttr()
    # Its own threads: syncing waits long, and the loop's few are wanted for name lookups.
    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _fits(self) -> "Archive":
        """Refuse options that its destination has no use for."""
        place = _place_of(self.to)
        scheme = place.scheme if isinstance(place, Address) else "file"
        meant = OPTIONS.get(scheme, ())
        for name in dict.fromkeys(one for names in OPTIONS.values() for one in names):
            if getattr(self, name) is not None and name not in meant:
                raise ValueError(f"{name} is nothing that {scheme}:// knows; leave it out")
        if self.lock is not None and scheme != "s3":
            where = "files cannot be locked" if scheme == "file" else "set it on the bucket itself"
            raise ValueError(f"lock is for s3:// only; {where}")
        if self.keep is not None and scheme != "file":
            raise ValueError("keep is for file:// only; give the bucket a lifecycle rule instead")
        if self.endpoint and not self.endpoint.startswith(("https://", "http://")):
            raise ValueError("endpoint is no address; write such as https://s3.example.com")
        if not self.format:
            raise ValueError('format is empty; write "json", "eml" or both')
        return self

    def model_post_init(self, _context: Any) -> None:
        """Resolve the destination once."""
        place = _place_of(self.to)
        if isinstance(place, Path):
            self._root = place
            self._destination = OnDisk(place)
            return
        options = {}
        for name in OPTIONS[place.scheme]:
            value = getattr(self, name)
            if value is not None:
                is_secret = isinstance(value, SecretStr)
                options[name] = value.get_secret_value() if is_secret else value
        lock = Lock(self.lock, self.lock_mode) if self.lock is not None else None
        self._bucket = Bucket(place, options, lock)
        self._destination = InBucket(self._bucket)

    @property
    def root(self) -> Path | None:
        """The folder it writes to; None if that is a bucket."""
        return self._root

    @property
    def bucket(self) -> Bucket | None:
        """The bucket it writes to; None if that is a folder."""
        return self._bucket

    async def handle(self, message: Message, context: Context) -> str:
        """Write the message and its files; a message already there is recognised.

        A later happening is a revision: the message as it then is, and the files that are new.
        """
        original = folder_of(Path(), context.mailbox, message)
        text = _as_json(message)
        if context.on == CREATED:
            places = [original, original / REVISIONS / _changed(message, context, text)]
        else:
            revision = original / REVISIONS / _revision(context)
            places = [revision, revision.with_name(f"{revision.name}-{_mark(text)}")]
        for folder in places:
            kept: dict[str, int] = {}
            if folder != original:
                kept = await self._in_thread(partial(self._destination.sizes_in, original))
            files = await _sources(context, kept)
            try:
                new = await self._commit(folder, message, context, text, files)
            except CommittedOtherwiseError:
                continue
            if not new:
                break
            word = "changed" if context.on == CREATED else context.on
            what = "archived" if folder == original else f"revision ({word}) archived"
            return f"{what} with {len(files)} file{'' if len(files) == 1 else 's'}"
        return "already archived"

    async def check(self) -> str:
        """Try to write there; says what was found."""
        try:
            return await self._in_thread(self._destination.check)
        except TransientError as error:
            raise PermanentError(error.reason) from error

    async def close(self) -> None:
        """Let the threads go once they are through."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    async def _commit(
        self,
        folder: Path,
        message: Message,
        context: Context,
        text: bytes,
        files: Sequence[Source],
    ) -> bool:
        """Commit a folder; False if it has the message like this already.

        Raises CommittedOtherwiseError if another state of the message is committed there.
        """
        sources = [Source(MESSAGE, "application/json", text)]
        if "json" in self.format:
            sources += files
        if "eml" not in self.format:
            return await self._write(folder, sources, text)
        with tempfile.TemporaryDirectory(prefix="ringpost-") as aside:
            mail = Path(aside) / MAIL
            await write_mail(mail, folder, context.mailbox, message, files)
            sources.append(Source(MAIL, "message/rfc822", mail))
            return await self._write(folder, sources, text)

    async def _write(self, folder: Path, sources: Sequence[Source], text: bytes) -> bool:
        try:
            return await self._in_thread(partial(self._destination.write, folder, sources))
        except CommittedOtherwiseError:
            held = await self._in_thread(partial(self._destination.read, folder, MESSAGE))
            if held == text:
                return False
            raise

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        """Raises TransientError, or PermanentError, where `call` raises OSError."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(8, thread_name_prefix="archive")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except BucketError as error:
            kind = PermanentError if error.lasting else TransientError
            raise kind(error.words) from error
        except OSError as error:
            raise TransientError(self._words(error)) from error

    def _words(self, error: OSError) -> str:
        if isinstance(self._destination, OnDisk):
            return self._destination.in_words(error)
        return f"cannot write to {self.to}: {error.strerror or error}"


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
