"""`ringpost backfill`: messages from before Ringpost began, delivered behind live work."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringpost.commands.options import AsJson, SomeMailboxes
from ringpost.output import alarm, hint, local_time, say, show_json, zone
from ringpost.periods import Until, past_moment
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from ringpost.backfill_by_hand import Plan
    from worker.ledger.backfills import Asked, Run

_INTERRUPTED = 130
_BETWEEN_LINES = 10.0
_UNTAKEN_SECONDS = 15.0


def backfill(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 30d, 2y, or a date.")
    ] = None,
    until: Until = None,
    mailbox: SomeMailboxes = None,
    route: Annotated[
        list[str] | None,
        typer.Option("--route", metavar="NAME", help="Only on this route. May be repeated."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would come to, and do nothing.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Say how far it is.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Halt it; the same command goes on where it was.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver what came before Ringpost began, and follow how far that is.

    Workers do it, from the newest message to the oldest; Ctrl-C leaves them at it.
    """
    from ringpost.connection import run
    from worker.ledger.backfills import Asked

    if sum((plan, status, stop)) > 1:
        raise Refusal("--plan, --status and --stop: give one of them")
    if status or stop:
        if since or until or mailbox or route:
            raise Refusal("--status and --stop are of the one backfill there is; give them alone")
        run(_stop(as_json) if stop else _status(as_json))
        return
    if since is None:
        raise Refusal("--since: say how far back, such as --since 2y")
    asked = Asked(since=since, until=until, mailboxes=mailbox or [], routes=route or [])
    if plan:
        run(_plan(asked, as_json))
        return
    try:
        run(_fill(asked, as_json))
    except KeyboardInterrupt:
        hint("the backfill goes on; see `ringpost backfill --status`, halt it with --stop")
        raise typer.Exit(_INTERRUPTED) from None


async def _plan(asked: "Asked", as_json: bool) -> None:
    from ringpost import backfill_by_hand
    from ringpost.bars import Bar
    from ringpost.watched_mailboxes import open_watched

    since, until = _period(asked)
    async with open_watched(asked.mailboxes) as watched:
        wanted = await backfill_by_hand.wanted(watched, asked, since, until)
        with Bar("counting") as bar:
            found = await backfill_by_hand.plan(watched, wanted, bar)
    if as_json:
        show_json(_plan_for_programs(found))
    else:
        _show_plan(found)
    if found.problems:
        raise typer.Exit(1)


def _show_plan(found: "Plan") -> None:
    facts = _plan_for_programs(found)
    for name, words in found.problems.items():
        alarm(f"mailbox {name}: could not be counted: {words}")
    for type_, count in sorted(facts["types"].items()):
        say(f"{type_}: {count:,}")
    calls = ", ".join(f"{count:,} {name}" for name, count in facts["calls"].items())
    say(f"messages to deliver: {facts['messages']:,} of {facts['listed']:,} listed")
    if facts["messages"]:
        say(f"calls to RingCentral: {calls}; behind live work about {_hours(found.hours)}")
    say(f"this plan took {found.cost:,} light {'call' if found.cost == 1 else 'calls'}")


def _plan_for_programs(found: "Plan") -> dict[str, Any]:
    types, calls = Counter[str](), Counter[str]()
    for tally in found.tallies.values():
        types.update(tally.types)
        calls.update(tally.calls)
    return {
        "messages": types.total(),
        "types": dict(types),
        "listed": sum(tally.listed for tally in found.tallies.values()),
        "calls": dict(calls),
        "hours": round(found.hours, 2),
        "cost": found.cost,
        "problems": found.problems,
    }


async def _fill(asked: "Asked", as_json: bool) -> None:
    from ringpost import backfill_by_hand
    from ringpost.watched_mailboxes import open_watched

    since, until = _period(asked)
    async with open_watched(asked.mailboxes) as watched:
        wanted = await backfill_by_hand.wanted(watched, asked, since, until)
        run = await backfill_by_hand.register(watched.ledger, wanted)
        with _Follower() as follower:
            run = await backfill_by_hand.follow(watched.ledger, run.backfill.id, follower.tell)
    if as_json:
        show_json(for_programs(run, 0))
    elif run.state == "stopped":
        say(f"halted after {run.admitted:,} messages; the same command goes on where it was")
    else:
        say(f"the backfill is through: {run.admitted:,} of {run.looked_at:,} messages delivered")


async def _status(as_json: bool) -> None:
    from ringpost.connection import ledger

    async with ledger() as opened:
        run = await opened.backfills.current()
        waiting = await opened.backfills.open_deliveries()
    if as_json:
        show_json(for_programs(run, waiting) if run else None)
    elif run is None:
        say("there has been no backfill yet")
    else:
        say(in_one_line(run, waiting))
        for name, words in run.problems.items():
            say(f"mailbox {name}: halts: {words}")


async def _stop(as_json: bool) -> None:
    from ringpost.connection import ledger

    async with ledger() as opened:
        stopped = await opened.backfills.stop()
    if as_json:
        show_json({"stopped": stopped})
    elif stopped:
        say("halted; what was admitted is delivered, and the same command goes on where it was")
    else:
        say("no backfill is running")


class _Follower:
    """Shows how far it is: a bar on a terminal, else a line now and then."""

    def __init__(self) -> None:
        from ringpost.bars import Bar
        from ringpost.output import aside

        self._bar = Bar("backfill")
        self._lines = not aside().is_terminal
        self._shown = 0
        self._begun = time.monotonic()
        self._fraction: float | None = None
        self._next_line = 0.0
        self._hinted = False
        self._halted: str | None = None

    def __enter__(self) -> "_Follower":
        self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)

    def tell(self, run: "Run", waiting: int) -> None:
        """Show it."""
        now = time.monotonic()
        if self._fraction is None:
            self._fraction = run.fraction
        self._bar.name(f"backfill, {waiting:,} open")
        self._bar.advance(run.looked_at - self._shown)
        self._shown = run.looked_at
        if run.fraction:
            self._bar.expect(round(run.looked_at / run.fraction) - run.looked_at)
        if self._lines and now >= self._next_line:
            self._next_line = now + _BETWEEN_LINES
            left = self._seconds_left(run)
            words = f", about {_hours(left / 3600)} left" if left is not None else ""
            hint(f"{in_one_line(run, waiting)}{words}")
        if run.halted and run.halted != self._halted:
            with self._bar.away():
                alarm(f"the backfill halts: {run.halted}")
        self._halted = run.halted
        is_untaken = not (run.progress or run.halted) and now > self._begun + _UNTAKEN_SECONDS
        if is_untaken and not self._hinted:
            self._hinted = True
            with self._bar.away():
                hint("no worker has taken it up yet; is one running? See `ringpost status`")

    def _seconds_left(self, run: "Run") -> float | None:
        """By how far it has come since we look on."""
        gained = run.fraction - (self._fraction or 0.0)
        if gained <= 0:
            return None
        return (time.monotonic() - self._begun) / gained * (1 - run.fraction)


def in_one_line(run: "Run", waiting: int) -> str:
    """A backfill and how far it is; also for `ringpost status`."""
    from ringpost.backfill_by_hand import in_words

    words = f"backfill {in_words(run.backfill.asked)}: {run.state}"
    counts = f"{run.admitted:,} of {run.looked_at:,} messages made due, {waiting:,} deliveries open"
    if run.state == "done":
        return f"{words}, {counts}"
    reached = [run.progress[name].reached for name in run.left if name in run.progress]
    where = f", has come down to {local_time(min(reached))} {zone()}" if reached else ""
    count = len(run.problems)
    halted = f", halts in {count} {'mailbox' if count == 1 else 'mailboxes'}" if count else ""
    why = f"; halts: {run.halted}" if run.halted else ""
    return f"{words}, {run.fraction:.0%}{where}, {counts}{halted}{why}"


def for_programs(run: "Run", waiting: int) -> dict[str, Any]:
    """A backfill as JSON; also for `ringpost status`."""
    return {
        **run.backfill.asked.model_dump(),
        "state": run.state,
        "fraction": round(run.fraction, 4),
        "looked_at": run.looked_at,
        "admitted": run.admitted,
        "open": waiting,
        "mailboxes_left": run.left,
        "problems": run.problems,
        "halted": run.halted,
    }


def _period(asked: "Asked") -> tuple[datetime, datetime | None]:
    now = datetime.now(UTC)
    since = past_moment(asked.since, "--since", now)
    until = past_moment(asked.until, "--until", now) if asked.until is not None else None
    if until is not None and until <= since:
        raise Refusal(f"--until {asked.until}: is not after --since {asked.since}")
    return since, until


def _hours(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours >= 1.5:
        return f"{hours:.0f} hours"
    return f"{max(1, round(hours * 60))} min"
