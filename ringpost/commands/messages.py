"""`ringpost messages`: the Message Store by hand."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson, OneMailbox
from ringpost.output import hint, say, show_json
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.message import Message

messages = typer.Typer(help="Look into a mailbox by hand.", no_args_is_help=True)

MessageIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Message ids.")]


class Type(StrEnum):
    """Message types as RingCentral spells them."""

    SMS = "SMS"
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


@messages.command("list")
def list_messages(
    mailbox: OneMailbox = "~",
    message_type: Annotated[
        list[Type] | None, typer.Option("--type", case_sensitive=False, help="May be repeated.")
    ] = None,
    direction: Annotated[Direction | None, typer.Option(case_sensitive=False)] = None,
    read_status: Annotated[ReadStatus | None, typer.Option(case_sensitive=False)] = None,
    date_from: Annotated[
        datetime | None, typer.Option(help="Local time; default: a day ago.")
    ] = None,
    date_to: Annotated[datetime | None, typer.Option(help="Local time.")] = None,
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
        date_from=date_from.astimezone() if date_from else None,
        date_to=date_to.astimezone() if date_to else None,
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

    status = ReadStatus.UNREAD if unread else ReadStatus.READ
    marked, problems = run(mailbox_by_hand.mark(mailbox, ids, status.value))
    if as_json:
        show_json({"marked": marked, "problems": problems})
    elif marked:
        say(f"marked as {status.value.lower()}: {', '.join(marked)}")
    _end(problems)


def _end(problems: dict[str, str]) -> None:
    for message_id, problem in problems.items():
        hint(f"message {message_id}: {problem}")
    if problems:
        raise typer.Exit(1)
