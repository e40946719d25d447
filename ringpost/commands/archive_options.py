"""Options that the commands of `ringpost archive` share."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="[FOLDER]", help="The archive; else those of the configuration."),
]
ByHandler = Annotated[
    str | None, typer.Option("--handler", metavar="NAME", help="Only the archive of this handler.")
]
OfMailboxes = Annotated[
    list[str] | None,
    typer.Option(
        "--mailbox",
        metavar="ACCOUNT/EXTENSION",
        help="Only of this mailbox; or the extension's id. May be repeated.",
    ),
]
FromDay = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="The first day, such as 2026-01-31.")
]
ToDay = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="The last day, included; days are in UTC.")
]
