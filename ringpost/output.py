"""What commands print: lines for people, JSON for programs."""

import json
import sys
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from ringpost.plain import escaped, in_line, plain

if TYPE_CHECKING:
    from rich.console import Console

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
    console().print(plain(text), markup=False, soft_wrap=True)


def alarm(text: str) -> None:
    """Print one line in red."""
    console().print(in_line(text), markup=False, soft_wrap=True, style="red")


def hint(text: str) -> None:
    """Print one line beside the results."""
    aside().print(plain(text), markup=False)


def show_json(value: Any) -> None:
    """Print a JSON document; times in it are ISO 8601 with their zone."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_as_text)
    sys.stdout.write(escaped(text) + "\n")


def show_json_line(value: Any) -> None:
    """Print a JSON document on one line, at once: whoever reads it may wait for it."""
    text = json.dumps(value, ensure_ascii=False, default=_as_text)
    sys.stdout.write(escaped(text) + "\n")
    sys.stdout.flush()


def local_time(moment: datetime | None, *, seconds: bool = False) -> str:
    """A clock time where the reader is, in the zone of `zone()`: `2026-11-23 14:32`."""
    if moment is None:
        return NOTHING
    # the present offset also for a day on the other side of a change to summer time: one heading
    # says the zone of a whole column
    return moment.astimezone(_zone()).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def zone() -> str:
    """The zone of `local_time`, such as `CET`."""
    return str(_zone())


def _zone() -> tzinfo | None:
    return datetime.now(UTC).astimezone().tzinfo


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
