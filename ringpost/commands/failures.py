"""`ringpost failures` and `ringpost replay`: what was given up, and trying it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ringpost.commands.options import AsJson
from ringpost.output import local_time, say, show_json, zone

if TYPE_CHECKING:
    from worker.ledger import DeliveryRecord

_ALL = 1_000_000
_SOME = 10
_FIELDS = {"mailbox": "mailbox", "route": "route", "message": "message_id"}

ByMailbox = Annotated[
    str | None, typer.Option("--mailbox", metavar="ACCOUNT/EXTENSION", help="Only of this mailbox.")
]
ByRoute = Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only of this route.")]
ByMessage = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="Only of this message.")
]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which failed deliveries are meant; None means any."""

    mailbox: str | None
    route: str | None
    message: str | None

    def __bool__(self) -> bool:
        return bool(self._wanted())

    def of(self, records: "Sequence[DeliveryRecord]") -> "list[DeliveryRecord]":
        """Those that are meant."""
        return [
            record
            for record in records
            if all(getattr(record, _FIELDS[name]) == value for name, value in self._wanted())
        ]

    def why_none(self, records: "Sequence[DeliveryRecord]") -> str:
        """Why `of(records)` is empty: what was asked for that no delivery has."""
        if not records:
            return "no failed deliveries"
        for name, value in self._wanted():
            found = sorted({str(getattr(record, _FIELDS[name])) for record in records})
            if value not in found:
                some = ", ".join(f'"{other}"' for other in found[:_SOME])
                more = f" and {len(found) - _SOME} more" if len(found) > _SOME else ""
                return f'no failed delivery has {name} "{value}"; there are: {some}{more}'
        return "no failed delivery has all of this"

    def _wanted(self) -> list[tuple[str, str]]:
        values = {"mailbox": self.mailbox, "route": self.route, "message": self.message}
        return [(name, value) for name, value in values.items() if value is not None]


def failures(
    mailbox: ByMailbox = None,
    route: ByRoute = None,
    message: ByMessage = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List deliveries that were given up, the newest first, each with the reason."""
    from ringpost.connection import ledger, run
    from ringpost.tables import Column, show_table

    async def read() -> "list[DeliveryRecord]":
        async with ledger() as opened:
            return await opened.failures(_ALL if choice else limit)

    choice = Choice(mailbox, route, message)
    records = run(read())
    chosen = choice.of(records)[:limit]
    if as_json:
        show_json([record.model_dump(mode="json") for record in chosen])
        return
    if not chosen:
        say(choice.why_none(records))
        return
    show_table(
        (
            "mailbox",
            "message",
            Column(f"created ({zone()})", spare=3),
            Column("route", folds=True),
            Column("step", spare=1),
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
                record.attempts,
                record.reason,
            )
            for record in chosen
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

    async def again() -> "tuple[int, list[DeliveryRecord]]":
        async with ledger() as opened:
            if not choice:
                return await opened.replay(), []
            records = await opened.failures(_ALL)
            chosen = choice.of(records)
            return await opened.replay(chosen) if chosen else 0, records

    choice = Choice(mailbox, route, message)
    count, records = run(again())
    if as_json:
        show_json({"replayed": count})
    elif not count:
        say(f"nothing to replay: {choice.why_none(records)}")
    else:
        say(f"{count} failed {'delivery is' if count == 1 else 'deliveries are'} due again")
