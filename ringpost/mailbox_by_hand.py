"""Opens the mailboxes that `ringpost messages` names, and reads single messages of them."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field

from message_store.client import MessageStore
from message_store.errors import NotFound, PermissionMissing, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from ringpost.connection import message_store
from ringpost.refusal import Refusal
from ringpost.waiting import patiently, say_pause
from worker.mailbox_names import ALL, OWN
from worker.watching import find

_OWN = Mailbox("~", "~")
_ID = re.compile(r"[0-9~]*")  # an account's id, or none; anything else is the name of one
_EXTENSION = "extensionId"
_NAME_ONE = "give ~, an extension's id or number, or account/extension"
_LONGEST_TRANSCRIPT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """Mailboxes that are ready to be asked; their titles are for people.

    `unreadable` are those, by title, that turned out not to be, and why.
    """

    store: MessageStore
    titles: dict[Mailbox, str]
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def mailboxes(self) -> list[Mailbox]:
        """All of them, in order."""
        return list(self.titles)

    @contextmanager
    def reading(self, mailbox: Mailbox) -> Iterator[None]:
        """Where this mailbox cannot be read, that is noted and costs no other; alone, it raises."""
        title = self.titles[mailbox]
        try:
            with nullcontext() if len(self.titles) > 1 else _extension_errors(title):
                yield
        except (NotFound, PermissionMissing) as error:
            if len(self.titles) == 1:
                raise
            self.unreadable[title] = str(error)


@asynccontextmanager
async def open_mailboxes(names: Sequence[str]) -> AsyncIterator[Opened]:
    """The mailboxes of these names: `~`, an extension's id or number, `account/extension`, `all`.

    With the name of one of `[[accounts]]` before it (`clinic/101`, `clinic/all`) a mailbox is that
    company's; without, the first one's. What a person does by hand can wait: it leaves a share of
    RingCentral's limits to live work.
    """
    account, names = _of_account(list(dict.fromkeys(names)))
    async with message_store(account) as login:
        store = login.store.in_bulk()
        yield Opened(store, await _titles(store, names))


def _of_account(names: list[str]) -> tuple[str | None, list[str]]:
    """The account that is named before the mailboxes, and their names without it."""
    parts = [name.rpartition("/") for name in names]
    accounts = {account for account, _, _ in parts if not _ID.fullmatch(account)}
    if not accounts:
        return None, names
    if len(accounts) > 1 or any(account not in accounts for account, _, _ in parts):
        raise Refusal(f"--mailbox {names[-1][:80]}: the mailboxes of one account at a time")
    return accounts.pop(), [name for _, _, name in parts]


@asynccontextmanager
async def open_mailbox(name: str) -> AsyncIterator[tuple[MessageStore, Mailbox]]:
    """The one mailbox of this name."""
    async with open_mailboxes([name]) as opened:
        if name == ALL or len(opened.titles) != 1:
            raise Refusal(f"--mailbox {name[:80]}: not one mailbox; {_NAME_ONE}")
        (mailbox,) = opened.mailboxes
        with _extension_errors(name):
            yield opened.store, mailbox


@contextmanager
def _extension_errors(name: str) -> Iterator[None]:
    """Raise Refusal where RingCentral does not know the extension of a mailbox."""
    try:
        yield
    except NotFound as error:
        if error.parameter not in {_EXTENSION, "accountId"}:
            raise
        raise _no_such_extension(name) from None


async def read(
    name: str, message_id: str, *, transcript: bool = False
) -> tuple[Message, str | None]:
    """One message, and the text of its transcription if that is asked for and there is one."""
    async with open_mailbox(name) as (store, mailbox):
        message = await _message(store, mailbox, message_id)
        parts = [part for part in message.attachments if part.type == "AudioTranscription"]
        if not (transcript and parts):
            return message, None
        return message, await _text(store, mailbox, message_id, parts[0])


def in_words(error: RingCentralError) -> str:
    """Why nothing can be done with a message."""
    if isinstance(error, NotFound):
        return (
            f"RingCentral has no such message in this mailbox; it may have been deleted ({error})"
        )
    return str(error)


async def _message(store: MessageStore, mailbox: Mailbox, message_id: str) -> Message:
    try:
        return await store.get(mailbox, message_id)
    except NotFound as error:
        if error.parameter == _EXTENSION:
            raise
        raise Refusal(f"message {message_id}: {in_words(error)}", exit_code=1) from None


async def _text(store: MessageStore, mailbox: Mailbox, message_id: str, part: Attachment) -> str:
    text = bytearray()
    async with store.content(mailbox, message_id, part) as content:
        async for chunk in content:
            text += chunk
            if len(text) > _LONGEST_TRANSCRIPT:
                break
    return text[:_LONGEST_TRANSCRIPT].decode("utf-8", "replace")


async def _titles(store: MessageStore, names: Sequence[str]) -> dict[Mailbox, str]:
    if list(names) == [OWN]:
        return {_OWN: OWN}
    addresses = {name: _address(name) for name in names if "/" in name}
    others = [name for name in names if "/" not in name]
    for name in others:
        _insist_on_name(name)
    titles = {mailbox: str(mailbox) for mailbox in addresses.values()}
    if others:
        found = await patiently(lambda: find(store, others), say_pause)
        if found.unknown:
            raise _no_such_extension(found.unknown[0])
        titles |= {mailbox: found.titles[mailbox] for mailbox in found.mailboxes}
    return titles


def _address(name: str) -> Mailbox:
    try:
        return Mailbox.parse(name)
    except ValueError:
        raise Refusal(f"--mailbox {name[:80]}: not one mailbox; {_NAME_ONE}") from None


def _insist_on_name(name: str) -> None:
    try:
        Mailbox(OWN, name)
    except ValueError:
        raise Refusal(f"--mailbox {name[:80]}: not one mailbox; {_NAME_ONE}") from None


def _no_such_extension(name: str) -> Refusal:
    return Refusal(f"--mailbox {name[:80]}: RingCentral has no such extension; {_NAME_ONE}")
