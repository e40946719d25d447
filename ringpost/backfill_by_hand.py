"""What `ringpost backfill` does: counts, registers, follows and stops."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from ringpost.bars import Bar
from ringpost.refusal import Refusal
from ringpost.watched_mailboxes import Watched
from worker.backfill.choosing import Choice, routes_for
from worker.backfill.plan import Tally
from worker.completeness.listing import walk
from worker.completeness.reconciling import owner_of
from worker.handlers.contract import ClosingHandler
from worker.ledger import Ledger
from worker.ledger.backfills import Asked, Backfill, OtherBackfillError, Run
from worker.problems import remedy
from worker.routes import Route
from worker.surroundings import Surroundings
from worker.wording import in_brief

_LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Plan:
    """What was counted, by credential, and how long it would take; `cost` is the calls it took.

    `problems` are mailboxes that could not be counted.
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    hours: float = 0.0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A backfill as it was asked for: since when, and until when in each mailbox."""

    asked: Asked
    since: datetime
    until: dict[Mailbox, datetime]
    routes: list[Route]


async def wanted(watched: Watched, asked: Asked, since: datetime, until: datetime | None) -> Wanted:
    """Where it would begin and end: live work has what came since Ringpost began.

    Raises Refusal for a route that is none, or where there is nothing to fill.
    """
    names = [route.name for route in routes_for(watched.configuration.routes, ())]
    for name in asked.routes:
        if name not in names:
            words = remedy(name, names)
            raise Refusal(f"--route {name[:80]}: no route for new messages has this name; {words}")
    if not names:
        raise Refusal("no route is for new messages, so there is nothing to bring old ones to")
    ends = {}
    for mailbox in watched.mailboxes:
        memory = await watched.ledger.reconciliation.memory(mailbox)
        began = datetime.fromtimestamp(memory.began, UTC)
        if (end := min(began, until or began)) > since:
            ends[mailbox] = end
    if not ends:
        raise Refusal(
            f"--since {asked.since}: Ringpost delivers what came since then anyway; what of it is "
            "missing, `ringpost reconcile --repair` delivers",
            exit_code=1,
        )
    return Wanted(asked, since, ends, routes_for(watched.configuration.routes, asked.routes))


async def plan(watched: Watched, what: Wanted, bar: Bar) -> Plan:
    """Count what there is; nothing is registered.

    One mailbox that cannot be read costs no other; RingCentralError if none can be read.
    """
    names = [route.name for route in what.routes]
    before = await watched.ledger.backfills.all()
    choice = Choice(watched.configuration.routes, names, before)
    surroundings = Surroundings(watched.ledger.extensions, watched.configuration.routes)
    closing = [name for name, one in watched.handlers.items() if isinstance(one, ClosingHandler)]
    found = Plan()
    owner = owner_of(watched.configuration)
    for mailbox, until in what.until.items():
        bar.name(f"counting mailbox {mailbox}")
        login = watched.logins.of(mailbox)
        tally = found.tallies.setdefault(login.scope, Tally())
        store = login.store.in_bulk()
        pages = walk(
            store, mailbox, what.since, until, owner=owner, availability=("Alive",), told=bar.pause
        )
        try:
            async for page in pages:
                found.cost += 1
                bar.advance(len(page))
                chosen = []
                for message in page:
                    # what was said is not read for a count; the backfill reads it
                    known = await surroundings.of(store, mailbox, message, ())
                    if routes := choice.of(message, mailbox, known):
                        chosen.append((message, routes))
                tally.add(len(page), chosen, closing)
        except RingCentralError as error:
            found.problems[str(mailbox)] = in_brief(error)
            if len(found.problems) == len(what.until):
                raise
    for scope, tally in found.tallies.items():
        rates = {
            "light": await watched.ledger.limits(scope).rate("message-list"),
            "medium": await watched.ledger.limits(scope).rate("message-content"),
        }
        per_minute = {name: rate * 60 for name, rate in rates.items() if rate}
        found.hours = max(found.hours, tally.hours(per_minute))
    return found


async def register(ledger: Ledger, what: Wanted) -> Run:
    """Have the workers begin it, or go on with it; raises Refusal while another one is running."""
    backfill = Backfill(
        id=uuid4().hex,
        asked=what.asked,
        since=what.since,
        until={str(mailbox): end for mailbox, end in what.until.items()},
        routes=[route.name for route in what.routes],
        made=datetime.now(UTC),
    )
    try:
        return await ledger.backfills.begin(backfill)
    except OtherBackfillError as error:
        raise Refusal(
            f"another backfill is under way ({in_words(error.run.backfill.asked)}); "
            "wait for it, or halt it with `ringpost backfill --stop`",
            exit_code=1,
        ) from None


async def follow(ledger: Ledger, id_: str, tell: Callable[[Run, int], None]) -> Run:
    """Tell how far it is, again and again, until it is through or was stopped."""
    while True:
        run = await ledger.backfills.current()
        if run is None or run.backfill.id != id_:
            raise Refusal("the backfill was replaced by another one", exit_code=1)
        waiting = await ledger.backfills.open_deliveries()
        tell(run, waiting)
        if run.state == "stopped" or (run.state == "done" and not waiting):
            return run
        await asyncio.sleep(_LOOK_SECONDS)


def in_words(asked: Asked) -> str:
    """A backfill as it was asked for."""
    options: list[tuple[str, Sequence[str]]] = [
        ("--since", [asked.since]),
        ("--until", [asked.until] if asked.until else []),
        ("--mailbox", asked.mailboxes),
        ("--route", asked.routes),
    ]
    return " ".join(f"{name} {value}" for name, values in options for value in values)
