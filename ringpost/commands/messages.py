"""`ringpost messages`: the Message Store by hand."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ringpost.commands.options import AsJson, OneMailbox
from ringpost.output import hint, say, show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.message import Message

_LONGEST_ID = 20

messages = typer.Typer(help="Look into a mailbox by hand.", no_args_is_help=True)

MessageIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Message ids.")]


class Type(StrEnum):
    """Message types as RingCentral spells them; it calls an MMS an SMS as well."""

    SMS = "SMS"
    MMS = "MMS"
    FAX = "Fax"
    VOICEMAIL = "VoiceMail"
    PAGER = "Pager"


class Direction(StrEnum):
    """Directions as RingCentral spells them."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


class ReadStatus(StrEnum):
    """Read statuses as RingCentral spells them."""

    READ = "Read"
    UNREAD = "Unread"


Word = TypeVar("Word", bound=StrEnum)


def _one_of(words: type[Word]) -> Callable[[str], Word]:
    """Reads a word whatever its case; a wrong one is told with the right ones as they are spelled.

    Typer's own choice would show them in small letters.
    """

    def read(text: str) -> Word:
        for word in words:
            if word.value.casefold() == text.casefold():
                return word
        raise typer.BadParameter(f'"{text[:40]}" is none of {", ".join(words)}')

    return read


def _moment(text: str) -> datetime:
    """A date or a time where the reader is."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f'"{text[:40]}" is no date; write such as 2026-11-01 or 2026-11-01T14:30'
        ) from None


Moment = Annotated[
    datetime | None, typer.Option(parser=_moment, metavar="DATE", help="Local time.")
]


@messages.command("list")
def list_messages(
    mailbox: OneMailbox = "~",
    message_type: Annotated[
        list[Type] | None,
        typer.Option(
            "--type", parser=_one_of(Type), metavar="|".join(Type), help="May be repeated."
        ),
    ] = None,
    direction: Annotated[
        Direction | None, typer.Option(parser=_one_of(Direction), metavar="|".join(Direction))
    ] = None,
    read_status: Annotated[
        ReadStatus | None, typer.Option(parser=_one_of(ReadStatus), metavar="|".join(ReadStatus))
    ] = None,
    date_from: Annotated[
        datetime | None,
        typer.Option(parser=_moment, metavar="DATE", help="Local time; default: a day ago."),
    ] = None,
    date_to: Moment = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List messages, the newest first."""
    from ringpost import mailbox_by_hand
    from ringpost.connection import run
    from ringpost.message_tables import show_list

    filters = mailbox_by_hand.Filters(
        message_types=tuple(kind.value for kind in message_type or ()),
        directions=(direction.value,) if direction else (),
        read_statuses=(read_status.value,) if read_status else (),
        date_from=date_from,
        date_to=date_to,
    )
    found = run(mailbox_by_hand.find(mailbox, filters, limit))
    if as_json:
        show_json([message.to_wire() for message in found])
    elif found:
        show_list(found)
    else:
        say("no messages")


@messages.command()
def show(message_id: str, mailbox: OneMailbox = "~", as_json: AsJson = False) -> None:
    """Show one message with its parties and attachments."""
    from ringpost import mailbox_by_hand
    from ringpost.connection import run
    from ringpost.message_tables import show_one

    _insist_on_ids([message_id])
    message: Message = run(mailbox_by_hand.read(mailbox, message_id))
    if as_json:
        show_json(message.to_wire())
    else:
        show_one(message)


@messages.command()
def download(
    ids: MessageIds,
    to: Annotated[Path, typer.Option(help="The folder to save the files in.")] = Path(),
    mailbox: OneMailbox = "~",
    as_json: AsJson = False,
) -> None:
    """Save the attachments of messages to a folder."""
    from ringpost import download as downloading
    from ringpost.connection import run

    _insist_on_ids(ids)
    try:
        to.mkdir(parents=True, exist_ok=True)
        files, problems = run(downloading.save(mailbox, ids, to))
    except OSError as error:
        raise Refusal(f"--to {to}: cannot be written ({error.strerror})", exit_code=1) from None
    if as_json:
        show_json({"files": [str(file) for file in files], "problems": problems})
    else:
        for file in files:
            say(str(file))
        if not files and not problems:
            say("no attachments")
    _end(problems)


@messages.command()
def mark(
    ids: MessageIds,
    unread: Annotated[
        bool, typer.Option("--unread/--read", help="As which to mark them.", show_default="--read")
    ] = False,
    mailbox: OneMailbox = "~",
    as_json: AsJson = False,
) -> None:
    """Mark messages as read or unread."""
    from ringpost import mailbox_by_hand
    from ringpost.connection import run

    _insist_on_ids(ids)
    status = ReadStatus.UNREAD if unread else ReadStatus.READ
    marked, problems = run(mailbox_by_hand.mark(mailbox, ids, status.value))
    if as_json:
        show_json({"marked": marked, "problems": problems})
    elif marked:
        say(f"marked as {status.value.lower()}: {', '.join(marked)}")
    _end(problems)


def _insist_on_ids(ids: Sequence[str]) -> None:
    for message_id in ids:
        if not (message_id.isascii() and message_id.isdecimal() and len(message_id) <= _LONGEST_ID):
            raise Refusal(
                f'message id "{message_id[:40]}": not a number; ids stand in ringpost messages list'
            )


def _end(problems: dict[str, str]) -> None:
    for message_id, problem in problems.items():
        hint(f"message {message_id}: {problem}")
    if problems:
        raise typer.Exit(1)
