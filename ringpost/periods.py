"""Periods as a person gives them: how far back, or a date."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ringpost.refusal import Refusal

Until = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="Local time; default: now.")
]


def moment(text: str, option: str, now: datetime) -> datetime:
    """`30d` ago, or a date or time where the reader is; raises Refusal."""
    from worker.durations import parse_duration
    from worker.problems import Wrong

    try:
        found = now - parse_duration(text)
    except Wrong:
        try:
            found = datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Refusal(
                f"{option} {text[:40]}: is no time; write how far back such as 30d or 2y, or a "
                "date such as 2026-11-01"
            ) from None
    if found > now:
        raise Refusal(f"{option} {text[:40]}: lies in the future")
    return found
