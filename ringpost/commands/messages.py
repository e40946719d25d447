"""`ringpost messages`: the Message Store by hand, and what only reads it."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.message_changes import add_changes, end
from ringpost.commands.message_options import (
    AllMatching,
    ByDirection,
    From,
    Mailboxes,
    MessageIds,
    Since,
    Types,
    with_filters,
)
from ringpost.commands.message_options import filters as filters_of
from ringpost.commands.options import AsJson, OneMailbox
from ringpost.message_filters import Filters
from ringpost.message_ids import gathered, insist_on_id
from ringpost.output import say, show_json, show_json_line
from ringpost.refusal import Refusal
from ringpost.selection import are_several, selection

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox
    from ringpost.sightings import News

messages = typer.Typer(help="Look into a mailbox by hand.", no_args_is_help=True)
add_changes(messages)


@messages.command("list")
@with_filters
def list_messages(
    filters: Filters,
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    limit: Annotated[
        int, typer.Option(min=0, help="Show at most so many of a mailbox; 0: all.")
    ] = 50,
    everything: Annotated[bool, typer.Option("--all", help="The same as --limit 0.")] = False,
    as_json: AsJson = False,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="Print JSON for programs, one message a line.")
    ] = False,
) -> None:
    """List messages, the newest first, page by page."""
    from ringpost import listing
    from ringpost.mailbox_by_hand import open_mailboxes
    from ringpost.waiting import run_to_the_end

    if as_json and as_lines:
        raise Refusal("--json and --jsonl: give one of them")
    several = are_several(mailbox)
    array = listing.JsonArray(several)
    show = listing.as_lines(several) if as_lines else listing.as_table(several)
    listed = listing.Listing(
        filters, None if everything else limit or None, array.show if as_json else show
    )

    async def work() -> dict[str, str]:
        async with open_mailboxes(mailbox) as opened:
            with array.whole() if as_json else nullcontext():
                await listed.run(opened)
            return opened.unreadable

    unreadable = run_to_the_end(work(), listed.how_far)
    if not (listed.count or as_json or as_lines):
        say("no messages")
    end(unreadable=unreadable)


@messages.command()
def show(
    message_id: str,
    mailbox: OneMailbox = "~",
    transcript: Annotated[
        bool, typer.Option("--transcript", help="Fetch a voicemail's transcription as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one message with its parties and attachments."""
    from ringpost import mailbox_by_hand
    from ringpost.connection import run
    from ringpost.message_tables import show_one

    insist_on_id(message_id)
    message, text = run(mailbox_by_hand.read(mailbox, message_id, transcript=transcript))
    if as_json:
        record = message.to_wire()
        show_json({**record, "transcript": text} if transcript else record)
    else:
        show_one(message, text)
        if transcript and text is None:
            say("no transcription")


@messages.command()
@with_filters
def download(
    filters: Filters,
    ids: MessageIds = None,
    source: From = None,
    all_matching: AllMatching = False,
    to: Annotated[Path, typer.Option(help="The folder to save the files in.")] = Path(),
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    as_json: AsJson = False,
) -> None:
    """Save the attachments of messages to a folder; files that are there already are kept."""
    from ringpost.bars import Bar
    from ringpost.download import Download
    from ringpost.mailbox_by_hand import open_mailboxes
    from ringpost.waiting import run_to_the_end

    selected = selection(mailbox, gathered(ids or [], source), filters, all_matching)

    def saved(path: Path) -> None:
        if not as_json:
            say(str(path))

    downloaded = Download(to, saved)

    async def work() -> dict[str, str]:
        async with open_mailboxes(mailbox) as opened:
            with Bar("reading") as bar:
                await downloaded.run(opened, selected, bar)
            return opened.unreadable

    try:
        to.mkdir(parents=True, exist_ok=True)
        unreadable = run_to_the_end(work(), downloaded.how_far)
    except OSError as error:
        raise Refusal(f"--to {to}: cannot be written ({error.strerror})", exit_code=1) from None
    if as_json:
        files = [str(file) for file in downloaded.files]
        show_json({"files": files, "problems": downloaded.problems})
    elif not (downloaded.files or downloaded.problems):
        say("no attachments")
    end(downloaded.problems, unreadable=unreadable)


@messages.command()
def watch(
    mailbox: Mailboxes = ["~"],  # noqa: B006  # Typer copies it
    message_type: Types = None,
    direction: ByDirection = None,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Print new and changed messages as they come, a line each, until Ctrl-C.

    It changes nothing. Changes are told of messages of the last 30 days.
    """
    from ringpost import watch as watching
    from ringpost.mailbox_by_hand import open_mailboxes
    from ringpost.waiting import run_to_the_end

    def tell(mailbox: "Mailbox", news: "News") -> None:
        if as_json:
            show_json_line(watching.as_document(mailbox, news))
        else:
            say(watching.in_one_line(news, mailbox if several else None))
            sys.stdout.flush()

    several = are_several(mailbox)
    chosen = filters_of(message_type=message_type, direction=direction)
    watched = watching.Watch(chosen, tell, since=since)

    async def work() -> None:
        async with open_mailboxes(mailbox) as opened:
            await watched.run(opened)

    run_to_the_end(work(), lambda: "")
