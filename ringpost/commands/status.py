"""`ringpost status`: the ledger at a glance."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ringpost.commands.options import AsJson
from ringpost.configuration_status import show_configurations
from ringpost.output import alarm, local_time, say, show_json, zone
from ringpost.status_facts import for_programs, moment

if TYPE_CHECKING:
    from worker.ledger import Overview
    from worker.ledger.budgets import Budget

_OUTCOMES = ("done", "failed", "skipped")


def status(as_json: AsJson = False) -> None:
    """Show mailboxes, open work, what became of messages by route, subscriptions and pauses."""
    from ringpost.completeness_status import Completeness
    from ringpost.connection import ledger, run

    async def read() -> "tuple[Overview, Completeness]":
        async with ledger() as opened:
            return await opened.overview(), await Completeness.read(opened)

    overview, completeness = run(read())
    if as_json:
        show_json(for_programs(overview, completeness))
    else:
        _show(overview, completeness.lines())


def _show(overview: "Overview", beside: Iterable[str]) -> None:
    from ringpost.tables import Column, show_table
    from worker.permissions import in_words

    if overview.problem:
        alarm(f"problem: {overview.problem}; see `ringpost check`")
    show_configurations(overview.configurations)
    bulk = f" (bulk {overview.bulk})" if overview.bulk else ""
    say(
        f"due {overview.due}{bulk}, running {overview.running}, "
        f"waiting to be closed {overview.waiting}, failed {overview.failed}"
    )
    if overview.failed:
        say("failed deliveries: see `ringpost failures`")
    for breaker in overview.breakers:
        probe = breaker.next_probe
        when = f"at {local_time(probe, seconds=True)}" if probe else "under way"
        alarm(
            f"handler {breaker.handler}: its destination fails since "
            f"{local_time(breaker.since)} {zone()} ({breaker.reason}); "
            f"next probe {when}, waiting {breaker.waiting}"
        )
    for line in (*_subscriptions(overview), *beside):
        say(line)
    for mailbox in overview.mailboxes:
        if mailbox.walked_back_to:
            at, end = local_time(mailbox.walked_back_to), local_time(mailbox.walks_back_to)
            say(f"mailbox {mailbox.mailbox}: reading back to {end} {zone()}, has come to {at}")
    for one in overview.unwatched:
        named = f"account {one.account}: " if one.account else ""
        alarm(f"mailbox {one.mailbox}: {named}{in_words(one.missing, one.extension)}")
    say()
    dark = overview.polling
    show_table(
        (
            "mailbox",
            f"synchronised ({zone()})",
            Column("next", spare=3),
            "due",
            "failed",
            Column("missed", spare=1),
            Column("last error", folds=True, spare=1),
            *((f"dark since ({zone()})", Column("because", folds=True)) if dark else ()),
        ),
        (
            (
                mailbox.mailbox,
                local_time(mailbox.last_sync),
                local_time(mailbox.next_sync),
                mailbox.due,
                mailbox.failed,
                mailbox.missed,
                mailbox.last_error,
                *((local_time(mailbox.dark_since), mailbox.dark_because) if dark else ()),
            )
            for mailbox in overview.mailboxes
        ),
    )
    _show_budgets(overview)
    if overview.counts:
        others = {name for counts in overview.counts.values() for name in counts} - {*_OUTCOMES}
        outcomes = (*_OUTCOMES, *sorted(others))
        say()
        show_table(
            (Column("route", folds=True), *outcomes),
            (
                (route, *(counts.get(outcome, 0) for outcome in outcomes))
                for route, counts in sorted(overview.counts.items())
            ),
        )


def _show_budgets(overview: "Overview") -> None:
    from ringpost.tables import Column, show_table

    if not overview.budgets:
        return
    say()
    accounts = {budget.account for budget in overview.budgets} != {""}
    show_table(
        (
            *(["account"] if accounts else []),
            "RingCentral's limit",
            "left",
            Column(f"paused until ({zone()})", spare=1),
            "waiting",
            Column("the last until", spare=2),
            Column("refused", spare=3),
        ),
        (
            (
                *([budget.account] if accounts else []),
                _limit(budget),
                budget.left,
                budget.paused_until and local_time(budget.paused_until, seconds=True),
                budget.waiting,
                budget.waiting_until and local_time(budget.waiting_until, seconds=True),
                budget.refused,
            )
            for budget in overview.budgets
        ),
    )


def _limit(budget: "Budget") -> str:
    if budget.limit is None or budget.window is None:
        return budget.group
    return f"{budget.group}, {budget.limit} in {budget.window:g} s"


def _subscriptions(overview: "Overview") -> Iterator[str]:
    mailboxes = len(overview.mailboxes)
    dark = sum(mailbox.covered_until is None for mailbox in overview.mailboxes)
    if not mailboxes:
        yield "no mailbox is watched yet"
    elif not dark:
        yield "RingCentral tells what is new in every mailbox"
    elif dark == mailboxes:
        yield "RingCentral tells of no mailbox what is new: all are polled"
    else:
        yield f"RingCentral does not tell of {dark} of {mailboxes} mailboxes: they are polled"
    for one in overview.subscriptions:
        until = local_time(moment(one.active_until))
        filters = "1 filter" if len(one.filters) == 1 else f"{len(one.filters)} filters"
        yield f"subscription {one.id}: {filters}, until {until} {zone()}"
