"""`ringpost archive hold`: what must not be removed, whatever its age."""

import getpass
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ringpost.archives import find_archives
from ringpost.commands.archive_options import ByHandler, Folder
from ringpost.commands.options import AsJson, ConfigFile
from ringpost.output import hint, local_time, say, show_json, zone
from ringpost.plain import in_line
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox
    from worker.archive.holds import Hold

hold = typer.Typer(
    help="Legal holds: mailboxes and messages that are kept whatever their age.",
    no_args_is_help=True,
)

_Mailbox = Annotated[
    str, typer.Option("--mailbox", metavar="ACCOUNT/EXTENSION", help="The mailbox.")
]
_Message = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="Only this message of it.")
]
_Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with it.")]
_By = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who says so; else your login name.")
]


@hold.command()
def add(
    mailbox: _Mailbox,
    reason: _Reason,
    message: _Message = None,
    by: _By = None,
    folder: Folder = None,
    handler: ByHandler = None,
    config: ConfigFile = None,
) -> None:
    """Keep a mailbox or a message until the hold is released."""
    _change("held", mailbox, message, reason, by, find_archives(folder, handler, config))


@hold.command()
def release(
    mailbox: _Mailbox,
    reason: _Reason,
    message: _Message = None,
    by: _By = None,
    folder: Folder = None,
    handler: ByHandler = None,
    config: ConfigFile = None,
) -> None:
    """End a hold: what is older than `keep` is removed the next day."""
    _change("released", mailbox, message, reason, by, find_archives(folder, handler, config))


@hold.command("list")
def list_holds(
    folder: Folder = None,
    handler: ByHandler = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the holds that are on."""
    from worker.archive.holds import HoldsUnreadableError, read_holds

    holds: list[Hold] = []
    try:
        for root in find_archives(folder, handler, config):
            holds += read_holds(root)
    except HoldsUnreadableError as error:
        raise Refusal(str(error), exit_code=1) from None
    if as_json:
        show_json([one.model_dump(mode="json", exclude={"what"}) for one in holds])
    elif holds:
        show_holds(holds)
    else:
        say("nothing is on hold")


def show_holds(holds: "Sequence[Hold]") -> None:
    """Print a line for each hold."""
    for one in holds:
        what = f"message {one.message} of {one.mailbox}" if one.message else one.mailbox
        since = f"{local_time(one.at)} {zone()}"
        say(in_line(f"on hold since {since}: {what}, by {one.by}: {one.reason}"))


def _change(
    what: Literal["held", "released"],
    mailbox: str,
    message: str | None,
    reason: str,
    by: str | None,
    roots: Iterable[Path],
) -> None:
    from message_store.mailbox import Mailbox
    from worker.archive.holds import Hold, HoldsUnreadableError, write_hold

    try:
        meant = Mailbox.parse(mailbox)
    except ValueError:
        raise Refusal(f'--mailbox "{mailbox}": write ACCOUNT/EXTENSION') from None
    if message is not None and not message.strip():
        raise Refusal("--message: is empty; leave it out to mean the whole mailbox")
    if not reason.strip():
        raise Refusal("--reason: is empty; say why in a few words")
    new = Hold(
        what=what,
        mailbox=str(meant),
        message=message,
        reason=reason,
        by=by or getpass.getuser(),
        at=datetime.now(UTC),
    )
    name = f"message {message} of {meant}" if message else str(meant)
    for root in roots:
        try:
            changed = write_hold(root, new)
        except OSError as error:
            raise Refusal(f"{root}: cannot be written ({error.strerror})", exit_code=1) from None
        except HoldsUnreadableError as error:
            raise Refusal(str(error), exit_code=1) from None
        if what == "held":
            _hint_if_nothing(root, meant, message)
        now = {"held": "on hold", "released": "not on hold"}[what]
        say(f"{root}: {name} is {now}{'' if changed else ' already'}")


def _hint_if_nothing(root: Path, mailbox: "Mailbox", message: str | None) -> None:
    """A hold may be for what is yet to come, but a wrong number would hold nothing."""
    from worker.archive.layout import archived, mailbox_folder

    if not mailbox_folder(root, mailbox).is_dir():
        hint(f"{root} has nothing of {mailbox} yet")
    elif message is not None and all(one.id != message for one in archived(root, mailbox)):
        hint(f"{root} has no message {message} of {mailbox} yet")
