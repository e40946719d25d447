"""`ringpost status`: the ledger at a glance."""

from typing import TYPE_CHECKING

from ringpost.commands.options import AsJson
from ringpost.output import local_time, say, show_json, show_table

if TYPE_CHECKING:
    from worker.ledger import Overview

_OUTCOMES = ("done", "failed", "skipped")


def status(as_json: AsJson = False) -> None:
    """Show mailboxes, open work, what became of messages by route, subscription and pauses."""
    from ringpost.connection import ledger, run

    async def read() -> "Overview":
        async with ledger() as opened:
            return await opened.overview()

    overview = run(read())
    if as_json:
        show_json(overview.model_dump(mode="json"))
    else:
        _show(overview)


def _show(overview: "Overview") -> None:
    say(
        f"due {overview.due}, running {overview.running}, waiting to be closed {overview.waiting}, "
        f"failed {overview.failed}"
    )
    if overview.failed:
        say("failed deliveries: see `ringpost failures`")
    say(_subscription(overview))
    for group, until in sorted(overview.paused.items()):
        say(f"RingCentral's limit for {group} is reached: paused until {local_time(until)}")
    say()
    show_table(
        ("mailbox", "synchronised", "next", "due", "failed", "missed", "last error"),
        (
            (
                mailbox.mailbox,
                local_time(mailbox.last_sync),
                local_time(mailbox.next_sync),
                mailbox.due,
                mailbox.failed,
                mailbox.missed,
                mailbox.last_error,
            )
            for mailbox in overview.mailboxes
        ),
    )
    if overview.counts:
        others = {name for counts in overview.counts.values() for name in counts} - {*_OUTCOMES}
        outcomes = (*_OUTCOMES, *sorted(others))
        say()
        show_table(
            ("route", *outcomes),
            (
                (route, *(counts.get(outcome, 0) for outcome in outcomes))
                for route, counts in sorted(overview.counts.items())
            ),
        )


def _subscription(overview: "Overview") -> str:
    if overview.polling:
        return "no active subscription: mailboxes are polled"
    return "subscription active: RingCentral tells what is new"
