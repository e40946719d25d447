"""`ringpost failures` and `ringpost replay`: what was given up, and trying it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson
from ringpost.failure_choice import Choice
from ringpost.output import local_time, say, show_json, zone
from ringpost.periods import given_moment

if TYPE_CHECKING:
    from worker.ledger import DeliveryRecord

_SHOWN = 100


MessageIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Only of these messages.", show_default=False),
]
ByMessage = Annotated[
    list[str] | None,
    typer.Option("--message", metavar="ID", help="The same as an option; may be repeated."),
]
ByMailbox = Annotated[
    str | None,
    typer.Option(
        "--mailbox",
        metavar="ACCOUNT/EXTENSION",
        help="Only of this mailbox; an extension's id will do.",
    ),
]
ByRoute = Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only of this route.")]
ByHandler = Annotated[
    str | None,
    typer.Option("--handler", metavar="NAME", help="Only those that ended at this step."),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        parser=given_moment,
        metavar="TIME",
        help="Such as 2d, or a date: messages created since then.",
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option(
        "--until", parser=given_moment, metavar="TIME", help="Messages created before then."
    ),
]
ByError = Annotated[
    str | None, typer.Option("--error", metavar="TEXT", help="Only with this in the reason.")
]


def failures(
    ids: MessageIds = None,
    message: ByMessage = None,
    mailbox: ByMailbox = None,
    route: ByRoute = None,
    handler: ByHandler = None,
    since: Since = None,
    until: Until = None,
    error: ByError = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """List deliveries that were given up, the newest first, each with the reason."""
    from ringpost.connection import ledger, run

    async def read() -> "list[DeliveryRecord]":
        async with ledger() as opened:
            return await opened.failures(None if choice else limit)

    choice = Choice(_all(ids, message), mailbox, route, handler, since, until, error)
    records = run(read())
    chosen = choice.of(records)[:limit]
    if as_json:
        show_json([record.model_dump(mode="json") for record in chosen])
    elif not chosen:
        say(choice.why_none(records))
    else:
        _show(chosen)
        say("try them again with `ringpost replay`")


def replay(
    ids: MessageIds = None,
    message: ByMessage = None,
    mailbox: ByMailbox = None,
    route: ByRoute = None,
    handler: ByHandler = None,
    since: Since = None,
    until: Until = None,
    error: ByError = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be tried again, and do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make failed deliveries due again (all, or those chosen); steps done are not repeated."""
    from ringpost.connection import ledger, run

    async def again() -> "tuple[int, list[DeliveryRecord]]":
        async with ledger() as opened:
            records = await opened.failures(None)
            chosen = choice.of(records)
            return 0 if dry_run or not chosen else await opened.replay(chosen), records

    choice = Choice(_all(ids, message), mailbox, route, handler, since, until, error)
    count, records = run(again())
    chosen = choice.of(records)
    if as_json:
        found = [record.model_dump(mode="json") for record in chosen]
        show_json({"replayed": count} | ({"would_replay": found} if dry_run else {}))
    elif not chosen:
        say(f"nothing to replay: {choice.why_none(records)}")
    elif dry_run:
        _show(chosen[:_SHOWN])
        some = f"; shown are {_SHOWN}" if len(chosen) > _SHOWN else ""
        say(f"{_in_words(len(chosen))} would be due again{some}; nothing was done")
    else:
        say(f"{_in_words(count)} {'is' if count == 1 else 'are'} due again")


def _all(ids: Sequence[str] | None, more: Sequence[str] | None) -> tuple[str, ...]:
    return (*(ids or ()), *(more or ()))


def _in_words(count: int) -> str:
    return f"{count:,} failed {'delivery' if count == 1 else 'deliveries'}"


def _show(records: "Sequence[DeliveryRecord]") -> None:
    from ringpost.tables import Column, show_table

    show_table(
        (
            "mailbox",
            "message",
            Column(f"created ({zone()})", spare=3),
            Column("route", folds=True),
            Column("step", spare=1),
            Column("done before", folds=True, spare=4),
            Column("attempts", spare=2),
            Column("reason", folds=True),
        ),
        (
            (
                record.mailbox,
                record.message_id,
                local_time(record.created),
                record.lane_in_words,
                record.step,
                ", ".join(record.done),
                record.attempts,
                record.reason,
            )
            for record in records
        ),
    )
