"""Moments as a person gives them: how far back, or a date."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ringpost.refusal import Refusal

_EXAMPLES = "write how far back such as 2d or 2y, or a date such as 2026-11-01 or 2026-11-01T14:30"

Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Such as 2d or a date; default: now.")
]


def given_moment(text: str) -> datetime:
    """The parser of an option; typer names the option where it is refused."""
    try:
        return _read(text, datetime.now(UTC))
    except ValueError:
        raise typer.BadParameter(f'"{text[:40]}" is no time; {_EXAMPLES}') from None


def past_moment(text: str, option: str, now: datetime) -> datetime:
    """One that is over; raises Refusal that names the option."""
    try:
        found = _read(text, now)
    except ValueError:
        raise Refusal(f"{option} {text[:40]}: is no time; {_EXAMPLES}") from None
    if found > now:
        raise Refusal(f"{option} {text[:40]}: lies in the future")
    return found


def _read(text: str, now: datetime) -> datetime:
    """`30d` ago, or a date or time where the reader is; raises ValueError."""
    from worker.durations import parse_duration
    from worker.problems import Wrong

    try:
        return now - parse_duration(text)
    except Wrong:
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
