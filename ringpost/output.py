"""What commands print: tables for people, JSON for programs, progress apart from both."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

NOTHING = "-"
_PIPE_WIDTH = 240


@cache
def console() -> "Console":
    """Where results go; colours only on a terminal."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@cache
def aside() -> "Console":
    """Where words beside the results go (standard error), so that `--json` stays clean."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """Print one line as it is: brackets in it are text, not markup."""
    console().print(text, markup=False, soft_wrap=True)


def hint(text: str) -> None:
    """Print one line beside the results."""
    aside().print(text, markup=False)


def show_json(value: Any) -> None:
    """Print a JSON document; times in it are ISO 8601 with their zone."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_as_text) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; on a pipe its cells are not cut to a terminal's width."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=None)
    for column in columns:
        table.add_column(column, header_style="bold", overflow="fold")
    for row in rows:
        table.add_row(*(Text(NOTHING if cell in (None, "") else str(cell)) for cell in row))
    console().print(table)


def progress() -> "Progress":
    """A progress bar for bytes, on standard error, gone when it is done."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=aside(),
        transient=True,
    )


def local_time(moment: datetime | None) -> str:
    """A clock time where the reader is, with its zone: `2026-11-23 14:32:05 CET`."""
    if moment is None:
        return NOTHING
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
