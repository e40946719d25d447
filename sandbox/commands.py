"""`ringpost sandbox`: start an emulated RingCentral, and let messages arrive in it."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from sandbox.remote import DEFAULT_URL, URL_VARIABLE, Remote, SandboxError
from sandbox.server import Server
from sandbox.settings import GENEROUS_LIMITS, REAL_LIMITS, Settings

app = typer.Typer(
    help="RingCentral on localhost, to try things out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Kind(StrEnum):
    """What can be sent."""

    SMS = "sms"
    MMS = "mms"
    FAX = "fax"
    VOICEMAIL = "voicemail"
    PAGER = "pager"


Url = Annotated[
    str | None, typer.Option(help=f"Where the sandbox is; else {URL_VARIABLE}, else {DEFAULT_URL}.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_DEFAULTS = Settings()
_LONG_AGO = 1_767_225_600  # the first second of 2026


@app.command()
def start(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _DEFAULTS.host,
    port: Annotated[int, typer.Option(help="Port of the API.")] = 8090,
    media_port: Annotated[int, typer.Option(help="Port of attachment contents.")] = 8091,
    latency: Annotated[float, typer.Option(help="Seconds added to every call.")] = 0.0,
    extensions: Annotated[int, typer.Option(min=1, help="How many mailboxes.")] = 3,
    client_id: Annotated[str, typer.Option(help="App id to accept.")] = _DEFAULTS.client_id,
    client_secret: Annotated[
        str, typer.Option(envvar="RC_CLIENT_SECRET", help="App secret to accept.")
    ] = _DEFAULTS.client_secret,
    jwt: Annotated[
        str, typer.Option(envvar="RC_JWT", help="User credential to accept.")
    ] = _DEFAULTS.jwt,
    aggregation: Annotated[
        float, typer.Option(help="Seconds that changes gather before they are notified.")
    ] = _DEFAULTS.aggregation,
    limits: Annotated[bool, typer.Option(help="Keep RingCentral's rate limits.")] = False,
) -> None:
    """Run the sandbox until it is stopped."""
    settings = Settings(
        host=host,
        port=port,
        media_port=media_port,
        latency=latency,
        extensions=extensions,
        ids_taken=int(time.time()) - _LONG_AGO,
        client_id=client_id,
        client_secret=client_secret,
        jwt=jwt,
        aggregation=aggregation,
        limits=REAL_LIMITS if limits else GENEROUS_LIMITS,
    )
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        runner.run(_serve(settings))


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
    stored = _run(Remote(url).send(members, file or []))
    _show(stored, as_json=as_json)


@app.command()
def messages(
    extension: Annotated[str | None, typer.Option(help="Only this mailbox.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in the mailboxes, and what has been read."""
    _show(_run(Remote(url).messages(extension)), as_json=as_json)


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


def _run(asked: Coroutine[Any, Any, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    try:
        return asyncio.run(asked)
    except SandboxError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _show(records: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(records, option=orjson.OPT_INDENT_2).decode())
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
