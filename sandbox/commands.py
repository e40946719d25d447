"""`ringpost sandbox`: start an emulated RingCentral, and let messages arrive in it."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sandbox.generated_commands import (
    AsJson,
    Url,
    doing,
    run_remote,
    show_json,
    signature_of_settings,
)
from sandbox.remote import Remote
from sandbox.server import Server
from sandbox.settings import Settings

_LONG_AGO = 1_767_225_600  # the first second of 2026

app = typer.Typer(
    help="RingCentral on localhost, to try things out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,  # it would complete `python -m sandbox`, which nobody types
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Kind(StrEnum):
    """What can be sent."""

    SMS = "sms"
    MMS = "mms"
    FAX = "fax"
    VOICEMAIL = "voicemail"
    PAGER = "pager"


def start(**chosen: Any) -> None:
    """Run the sandbox until it is stopped."""
    told = {name: value for name, value in chosen.items() if value is not None}
    told["ids_taken"] = told["ids_taken"] or int(time.time()) - _LONG_AGO
    try:
        settings = Settings.chosen(**told)
    except ValueError as mistake:
        typer.echo(str(mistake), err=True)
        raise typer.Exit(2) from None
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        runner.run(_serve(settings))


start.__signature__ = signature_of_settings()  # type: ignore[attr-defined]  # what typer reads
app.command()(start)
app.add_typer(doing, name="do")


@app.command()
def send(
    kind: Annotated[Kind, typer.Argument(help="What shall arrive.")],
    sender: Annotated[str | None, typer.Option("--from", help="Who sends it.")] = None,
    to: Annotated[str | None, typer.Option(help="The number it was sent to.")] = None,
    text: Annotated[str | None, typer.Option(help="What it says.")] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="A file to attach; may be repeated.")
    ] = None,
    extension: Annotated[str, typer.Option(help="Whose mailbox: id or number.")] = "~",
    count: Annotated[int, typer.Option(min=1, help="How many of them.")] = 1,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Let a message arrive."""
    members = {"type": kind.value, "extension": extension, "count": str(count)}
    members |= {n: v for n, v in (("from", sender), ("to", to), ("text", text)) if v is not None}
    stored = run_remote(Remote(url).send(members, file or []))
    _show(stored, as_json=as_json)


@app.command()
def messages(
    extension: Annotated[str | None, typer.Option(help="Only this mailbox.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in the mailboxes, and what has been read."""
    _show(run_remote(Remote(url).messages(extension)), as_json=as_json)


@app.command(name="settings")
def choose(
    changes: Annotated[
        list[str] | None, typer.Argument(help="Settings to change, such as `window=3`.")
    ] = None,
    url: Url = None,
) -> None:
    """Show what a running sandbox has chosen, or change some of it."""
    told = dict(change.partition("=")[::2] for change in changes or [])
    show_json(run_remote(Remote(url).settings(told)))


@app.command()
def requests(url: Url = None) -> None:
    """Count the requests by group and operation: refused, failed, sent inside a penalty."""
    show_json(run_remote(Remote(url).counts()))


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where there is one (it is not made for Windows)."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


async def _serve(settings: Settings) -> None:
    try:
        server = Server(settings)
    except OSError as error:
        place = f"{settings.host}, port {settings.port} or {settings.media_port}"
        typer.echo(f"the sandbox cannot listen on {place}: {error.strerror}; use --port", err=True)
        raise typer.Exit(1) from None
    await server.start()
    stopped = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
    emulator = server.emulator
    typer.echo(f"RingCentral sandbox: API {emulator.api_url}, media {emulator.media_url}")
    sys.stdout.flush()
    await stopped.wait()
    await server.stop()


def _show(records: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json(records)
        return
    table = Table(box=None)
    for heading in ("id", "type", "from", "files", "status", "created"):
        table.add_column(heading, no_wrap=True)
    for record in records:
        sender = record.get("from", {})
        table.add_row(
            str(record["id"]),
            record["type"],
            sender.get("phoneNumber") or sender.get("extensionNumber") or "",
            str(sum(part["type"] != "Text" for part in record["attachments"])),
            record["readStatus"] if record["availability"] == "Alive" else record["availability"],
            record["creationTime"][:19].replace("T", " "),
        )
    Console().print(table)
