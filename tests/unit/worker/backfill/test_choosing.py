"""Which old messages a backfill brings, and how far one has come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.backfill.choosing import Choice, routes_for
from worker.backfill.plan import BULK_SHARE, PER_MINUTE, Tally
from worker.completeness.listing import Place
from worker.ledger.backfills import Asked, Backfill, Progress, Run
from worker.routes import Route

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
SINCE = BEGAN - timedelta(days=100)
MAILBOX = Mailbox("1", "2")
KEPT = Route.model_validate({"name": "kept", "steps": ["vault"]})
FAXES = Route.model_validate({"name": "faxes", "match": {"type": "Fax"}, "steps": ["mail"]})
READ = Route.model_validate({"name": "read", "on": ["read"], "steps": ["vault"]})


def message(days: float, id_: int = 1, **fields: Any) -> Message:
    created = (BEGAN - timedelta(days=days)).isoformat()
    return Message.model_validate({"id": id_, "creationTime": created, "type": "Fax", **fields})


def run(progress: Progress | None, *routes: str) -> Run:
    backfill = Backfill(
        id="a",
        asked=Asked(since="100d"),
        since=SINCE,
        until={str(MAILBOX): BEGAN},
        routes=list(routes) or ["kept"],
        made=BEGAN,
    )
    return Run(
        backfill=backfill,
        state="running",
        progress={str(MAILBOX): progress} if progress else {},
    )


def test_only_routes_for_new_messages() -> None:
    """By default all of them, else those that are named."""
    assert routes_for([KEPT, FAXES, READ], []) == [KEPT, FAXES]
    assert routes_for([KEPT, FAXES, READ], ["faxes", "read"]) == [FAXES]


def test_every_route_that_matches() -> None:
    """As for new messages."""
    choice = Choice([KEPT, FAXES])
    assert choice.of(message(1), MAILBOX) == [KEPT, FAXES]
    assert choice.of(message(1, type="SMS"), MAILBOX) == [KEPT]


HALFWAY = Progress(
    reached=BEGAN - timedelta(days=50),
    place=Place(until=BEGAN - timedelta(days=50), known=["7"]),
)
THROUGH = Progress(reached=BEGAN - timedelta(days=90), done=True)


@pytest.mark.parametrize(
    ("progress", "days", "id_", "is_covered"),
    [
        (None, 1, 1, False),
        (HALFWAY, 49, 1, True),
        (HALFWAY, 50, 7, True),
        (HALFWAY, 50, 8, False),
        (HALFWAY, 51, 1, False),
        (HALFWAY, 0, 1, False),
        (HALFWAY, -1, 1, False),
        (THROUGH, 95, 1, True),
        (THROUGH, 100, 1, True),
        (THROUGH, 101, 1, False),
    ],
)
def test_what_one_before_has_covered_is_left_out(
    progress: Progress | None, days: float, id_: int, is_covered: bool
) -> None:
    """Down to where it came, and of the second in which it stopped only what it dealt with."""
    choice = Choice([KEPT], [run(progress)])
    assert (choice.of(message(days, id_), MAILBOX) == []) is is_covered


def test_what_was_covered_on_another_route_or_in_another_mailbox_is_not_left_out() -> None:
    """A backfill for one route does not stand for the others."""
    choice = Choice([KEPT, FAXES], [run(THROUGH, "faxes")])
    assert choice.of(message(10), MAILBOX) == [KEPT]
    assert choice.of(message(10), Mailbox("1", "3")) == [KEPT, FAXES]


@pytest.mark.parametrize(("progress", "fraction"), [(None, 0.0), (HALFWAY, 0.5), (THROUGH, 1.0)])
def test_how_far_it_has_come(progress: Progress | None, fraction: float) -> None:
    """By the time that it has gone through."""
    assert run(progress).fraction == pytest.approx(fraction)


def test_a_tally_counts_messages_and_calls() -> None:
    """Files once each whoever wants them, read marks a hundred in a call, lists by the page."""
    marked = Route.model_validate({"name": "marked", "steps": ["mark-read"]})
    both = Route.model_validate({"name": "both", "steps": ["vault", "mark-read"]})
    fax = message(1, attachments=[{"id": 1, "type": "RenderedDocument"}])
    tally = Tally()
    tally.add(1000, [(fax, [KEPT, FAXES])] * 10 + [(fax, [both])] * 100, ["mark-read"])
    tally.add(1, [(fax, [marked]), (message(1, type="SMS"), [KEPT])], ["mark-read"])
    assert tally.listed == 1001
    assert tally.types == {"Fax": 111, "SMS": 1}
    assert tally.messages == 112
    assert tally.calls == {"light": 5, "medium": 110 + 2}


def test_the_slowest_class_of_calls_says_how_long_it_takes() -> None:
    """By the limits that were learned, else by RingCentral's own; live work keeps its share."""
    tally = Tally(pages=100, contents=3000)
    assert tally.hours({}) == pytest.approx(3000 / PER_MINUTE["medium"] / BULK_SHARE / 60)
    assert tally.hours({"medium": 4000}) == pytest.approx(
        100 / PER_MINUTE["light"] / BULK_SHARE / 60
    )
