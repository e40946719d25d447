"""`ringpost handlers try`: one message through one configured handler, by hand."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from message_store.client import MessageStore
from message_store.errors import BadRequest, NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.outgoing import OutgoingSms
from message_store.parsing import NotJsonError, parse_json
from message_store.protocol import ContentStream, MessageStoreAccess, Outcomes
from ringpost.mailbox_by_hand import open_mailbox
from ringpost.refusal import Refusal
from worker.failures import is_foreseen, is_transient, reason
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import (
    ClosingHandler,
    Handler,
    HandlerError,
    Later,
    Links,
    Outcome,
    Step,
)
from worker.handlers.egress import Egress
from worker.handlers.filenames import attachment_names
from worker.handlers.notes import Notes
from worker.handlers.rendering import check_template
from worker.spool import Spool
from worker.wording import in_brief

_CHUNK = 256 * 1024
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """The message to try, where it is from, and who can say more of it."""

    message: Message
    mailbox: Mailbox
    store: MessageStoreAccess
    is_file: bool


@asynccontextmanager
async def source(text: str, mailbox: str) -> AsyncIterator[Source]:
    """A file with a message as JSON, its attachments beside it; or the id of one in a mailbox."""
    if Message.id_form.fullmatch(text):
        async with open_mailbox(mailbox) as (store, opened):
            try:
                message = await store.get(opened, text)
            except NotFound as error:
                elsewhere = f"it may be in another mailbox than {mailbox}; give --mailbox"
                raise Refusal(f"message {text}: {error}; {elsewhere}", exit_code=1) from None
            yield Source(message, await _with_ids(store, opened), store, is_file=False)
        return
    yield of_file(Path(text))


def of_file(path: Path) -> Source:
    """A message in a file; raises Refusal."""
    message = _read(path)
    own = Mailbox("~", message.extension_id or "~")
    return Source(message, own, _Folder(path.parent, message), is_file=True)


async def _with_ids(store: MessageStore, mailbox: Mailbox) -> Mailbox:
    """The mailbox as the workers know it: they keep their notes by its ids."""
    if "~" not in mailbox:
        return mailbox
    own = await store.signed_in()
    extension = mailbox.extension_id
    return Mailbox(own.account_id, own.extension_id if extension == "~" else extension)


def preview(step: Step, source: Source, context: DeliveryContext) -> dict[str, str]:
    """What can be known without doing it: each template that is set, filled in, and the files.

    Raises HandlerError where a template fails.
    """
    templates = {
        name: getattr(step, name)
        for name, field in type(step).model_fields.items()
        if any(getattr(one, "func", None) is check_template for one in field.metadata)
    }
    # one that is not set is empty, and the handler has words of its own for it
    shown = {name: context.render(text, source.message) for name, text in templates.items() if text}
    if context.attachments:
        shown["files"] = ", ".join(file.name for file in context.attachments)
    return shown


@asynccontextmanager
async def context_of(
    name: str, source: Source, on: str, notes: Notes | None, links: Links | None
) -> AsyncIterator[DeliveryContext]:
    """What a delivery would give the handler; the identity of its effect is this trial's own."""
    egress = Egress()
    with tempfile.TemporaryDirectory(prefix="ringpost-try-") as folder:
        try:
            yield DeliveryContext(
                mailbox=source.mailbox,
                message=source.message,
                route=f"tried by hand at {datetime.now(UTC).isoformat(timespec='seconds')}",
                step=name,
                attempt=1,
                on=on,
                store=source.store,
                spool=Spool(Path(folder), source.store),
                http=egress,
                notes=notes,
                links=links,
            )
        finally:
            await egress.close()


async def attempt(step: Step, source: Source, context: DeliveryContext) -> str:
    """Do it; the handler's words. Raises Refusal with what became of it otherwise."""
    if isinstance(step, ClosingHandler) and source.is_file:
        raise Refusal("it changes the mailbox itself; give --message the id of a message there")
    try:
        await step.start()
        if isinstance(step, ClosingHandler):
            return await _close(step, source)
        if not isinstance(step, Handler):
            raise TypeError(f"{type(step).__name__} is no handler")
        outcome = await step.handle(source.message, context)
        if isinstance(outcome, Outcome):
            return f"{in_brief(outcome.words)}: {in_brief(outcome.transcription)}"
        return in_brief(outcome)
    # foreign code may raise anything; what the worker would make of it is what people want to know
    except Exception as error:
        after = getattr(error, "after", None)
        words = reason(error)
        if is_transient(error):
            when = f"not before {after:g} s have passed" if after else "later"
            raise Refusal(f"{words}; a worker would try again {when}", exit_code=1) from None
        if is_foreseen(error):
            raise Refusal(f"{words}; a worker would give up", exit_code=1) from None
        raise Refusal(f"{words}: an error in the handler", exit_code=1) from error
    finally:
        await step.close()


async def _close(step: ClosingHandler, source: Source) -> str:
    results = await step.finish(source.mailbox, [source.message.id], source.store)
    result = results.get(source.message.id, HandlerError("the handler said nothing of it"))
    if isinstance(result, HandlerError):
        raise result
    return result.words if isinstance(result, Later) else in_brief(result)


def _read(path: Path) -> Message:
    try:
        if path.stat().st_size > _LARGEST:
            raise Refusal(f"{path}: too large for a message")
        document: Any = parse_json(path.read_bytes())
    except OSError as error:
        raise Refusal(f"{path}: cannot be read ({error.strerror})") from None
    except NotJsonError:
        raise Refusal(f"{path}: is not JSON") from None
    if not isinstance(document, dict) or "id" not in document:
        raise Refusal(f"{path}: is no message; write it as RingCentral does, with an id at least")
    return Message.model_validate(document)


class _Folder:
    """A message in a file, with its attachments beside it under the names the archive gives them.

    Nothing in a mailbox can be changed through it.
    """

    def __init__(self, folder: Path, message: Message) -> None:
        self._message = message
        names = attachment_names(message.files, ("message.json", "manifest.json", "revisions"))
        self._paths = {
            part.id: folder / name for part, name in zip(message.files, names, strict=True)
        }

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """The message of the file."""
        return self._message

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """The message of the file."""
        return dict.fromkeys(ids, self._message)

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[ContentStream]:
        """The file beside it; raises NotFound with the name it should have."""
        return _content(self._paths[attachment.id], attachment, offset)

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Refused."""
        raise _unchangeable()

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """Refused."""
        raise _unchangeable()

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """Refused."""
        raise _unchangeable()

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Refused: which mailbox would send it is not known."""
        raise BadRequest("a message from a file has no mailbox to send from; give its id instead")

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """Nothing is sent from here."""
        return None


def _unchangeable() -> RingCentralError:
    return BadRequest("a message from a file is in no mailbox that could be changed")


@dataclass
class _Bytes:
    """A file as a content stream."""

    content: bytes
    content_type: str

    @property
    def size(self) -> int | None:
        """Its length."""
        return len(self.content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), _CHUNK):
            yield self.content[start : start + _CHUNK]


@asynccontextmanager
async def _content(path: Path, part: Attachment, offset: int) -> AsyncIterator[ContentStream]:
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFound(f"{path}: the attachment is not there ({error.strerror})") from None
    yield _Bytes(content[offset:], part.content_type or "application/octet-stream")
