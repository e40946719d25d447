"""Options that several commands share, spelled the same in each."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration; else RINGPOST_CONFIG."),
]
SomeMailboxes = Annotated[
    list[str] | None,
    typer.Option(
        "--mailbox",
        metavar="ACCOUNT/EXTENSION",
        help="Only this watched mailbox; an extension's id or number will do. May be repeated.",
    ),
]
OneMailbox = Annotated[
    str,
    typer.Option(
        "--mailbox", metavar="ID", help="An extension's id or number; ~ is the signed-in one."
    ),
]
