"""`ringpost failures` and `ringpost replay`: what was given up, and trying it again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson
from ringpost.output import local_time, say, show_json, show_table

if TYPE_CHECKING:
    from worker.ledger import DeliveryRecord

_ALL = 1_000_000

ByMailbox = Annotated[
    str | None, typer.Option("--mailbox", metavar="ACCOUNT/EXTENSION", help="Only of this mailbox.")
]
ByRoute = Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only of this route.")]
ByMessage = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="Only of this message.")
]


def failures(
    mailbox: ByMailbox = None,
    route: ByRoute = None,
    message: ByMessage = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List deliveries that were given up, the newest first, each with the reason."""
    from ringpost.connection import ledger, run

    async def read() -> "list[DeliveryRecord]":
        async with ledger() as opened:
            wanted = _ALL if mailbox or route or message else limit
            return _chosen(await opened.failures(wanted), mailbox, route, message)[:limit]

    records = run(read())
    if as_json:
        show_json([record.model_dump(mode="json") for record in records])
        return
    if not records:
        say("no failed deliveries")
        return
    show_table(
        ("mailbox", "message", "created", "route", "step", "attempts", "reason"),
        (
            (
                record.mailbox,
                record.message_id,
                local_time(record.created),
                record.route,
                record.step,
                record.attempts,
                record.reason,
            )
            for record in records
        ),
    )
    say("try them again with `ringpost replay`")


def replay(
    mailbox: ByMailbox = None,
    route: ByRoute = None,
    message: ByMessage = None,
    as_json: AsJson = False,
) -> None:
    """Make failed deliveries due again (all, or those chosen); steps done are not repeated."""
    from ringpost.connection import ledger, run

    async def again() -> int:
        async with ledger() as opened:
            if not (mailbox or route or message):
                return await opened.replay()
            records = _chosen(await opened.failures(_ALL), mailbox, route, message)
            return await opened.replay(records) if records else 0

    count = run(again())
    if as_json:
        show_json({"replayed": count})
    else:
        say(f"{count} failed {'delivery is' if count == 1 else 'deliveries are'} due again")


def _chosen(
    records: "Sequence[DeliveryRecord]",
    mailbox: str | None,
    route: str | None,
    message: str | None,
) -> "list[DeliveryRecord]":
    return [
        record
        for record in records
        if mailbox in (None, record.mailbox)
        and route in (None, record.route)
        and message in (None, record.message_id)
    ]
