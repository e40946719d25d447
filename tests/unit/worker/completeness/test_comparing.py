"""What is missing, extra or failed in one mailbox: every combination of who has a message."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.completeness.comparing import (
    DELETED,
    MISSED,
    NOT_LISTED,
    UNSEEN,
    Archived,
    Bounds,
    Comparison,
    Counts,
    Difference,
    Held,
    Listed,
    compare,
)

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
EARLY = MIDNIGHT - timedelta(days=30)
BOUNDS = Bounds(MIDNIGHT, MIDNIGHT + timedelta(days=1, hours=6), EARLY)
VAULT = {"vault": frozenset({"kept"})}


def listed(id_: str = "1", created: datetime = NOON, **fields: Any) -> Listed:
    return Listed(id_, created, fields.pop("type", "SMS"), **fields)


def held(id_: str = "1", **fields: Any) -> Held:
    return Held(id_, fields.pop("created", NOON), **fields)


def copy(id_: str = "1", day: date = DAY) -> Archived:
    return Archived(id_, day, "SMS")


def found(comparison: Comparison) -> list[tuple[str, str, str]]:
    return [(one.kind, one.id, one.why) for one in comparison.differences]


def test_all_is_where_it_should_be() -> None:
    """Listed, settled and archived: nothing to say, and each is counted once."""
    comparison = compare([listed(archiving=VAULT)], [held()], {"vault": [copy()]}, BOUNDS)
    assert comparison.is_complete
    assert not comparison.differences
    assert comparison.counts == {
        (DAY, "SMS"): Counts(listed=1, settled=1, to_archive=1, archived=1)
    }


def test_a_message_that_the_ledger_has_not_seen_is_missing() -> None:
    """Above the floor the ledger remembers every message, so this one never came."""
    comparison = compare([listed()], [], {}, BOUNDS)
    assert comparison.differences == [Difference("missing", "1", DAY, "SMS", UNSEEN)]
    assert not comparison.is_complete


def test_an_unseen_message_is_missing_once_even_if_archives_lack_it_too() -> None:
    """It will go the whole way, to the archives as well."""
    comparison = compare([listed(archiving=VAULT)], [], {"vault": []}, BOUNDS)
    assert found(comparison) == [("missing", "1", UNSEEN)]


def test_a_message_from_before_the_start_was_never_meant() -> None:
    """It is counted as listed, and nothing is missing."""
    bounds = Bounds(BOUNDS.since, BOUNDS.until, NOON + timedelta(1))
    comparison = compare([listed()], [], {"vault": []}, bounds)
    assert comparison.is_complete
    assert comparison.total.listed == 1


def test_below_the_floor_only_the_archive_can_tell() -> None:
    """What the ledger has forgotten is missing if the archive lacks it, and else not."""
    bounds = Bounds(BOUNDS.since, BOUNDS.until, NOON + timedelta(1))
    with_archive = compare([listed(archiving=VAULT)], [], {"vault": [copy()]}, bounds)
    assert with_archive.is_complete
    without_copy = compare([listed(archiving=VAULT)], [], {"vault": []}, bounds)
    assert without_copy.differences == [
        Difference("missing", "1", DAY, "SMS", "vault does not hold it", ("kept",))
    ]
    assert compare([listed()], [], {}, bounds).is_complete


@pytest.mark.parametrize("state", ["open", "failed"])
def test_an_archive_that_is_still_to_be_written_lacks_nothing(state: str) -> None:
    """The delivery that will bring it there is open, or named as failed."""
    fields: dict[str, Any] = {state: frozenset({"kept"})}
    one = held(**fields)
    comparison = compare([listed(archiving=VAULT)], [one], {"vault": []}, BOUNDS)
    assert not comparison.of("missing")


def test_a_delivery_on_another_route_brings_nothing_to_the_archive() -> None:
    """The mail is open; the archive's own delivery is done, and its folder is gone."""
    one = held(open=frozenset({"mailed"}))
    comparison = compare([listed(archiving=VAULT)], [one], {"vault": []}, BOUNDS)
    assert found(comparison) == [("missing", "1", "vault does not hold it")]


def test_each_archive_is_asked_for_itself() -> None:
    """Two archives, one of them lacks the message."""
    both = {"first": frozenset({"a"}), "second": frozenset({"b"})}
    comparison = compare(
        [listed(archiving=both)], [held()], {"first": [copy()], "second": []}, BOUNDS
    )
    assert found(comparison) == [("missing", "1", "second does not hold it")]
    assert comparison.total == Counts(listed=1, settled=1, to_archive=2, archived=1)


def test_a_failed_message_is_named_with_its_routes() -> None:
    """One difference for a message, however many of its deliveries failed."""
    comparison = compare([listed()], [held(failed=frozenset({"b", "a"}))], {}, BOUNDS)
    assert comparison.differences == [
        Difference("failed", "1", DAY, "SMS", 'given up on "a", "b"', ("a", "b"))
    ]
    assert comparison.total.failed == 1


def test_a_failed_message_that_was_deleted_is_both() -> None:
    """Its deliveries are still there to be replayed."""
    one = held(failed=frozenset({"a"}), availability="Deleted")
    assert [kind for kind, _, _ in found(compare([], [one], {}, BOUNDS))] == ["failed", "extra"]


@pytest.mark.parametrize(
    ("there", "known", "copies", "why"),
    [
        ([], [held()], [], NOT_LISTED),
        ([], [], [copy()], NOT_LISTED),
        ([], [held(availability="Purged")], [copy()], DELETED),
        ([listed(availability="Deleted")], [held()], [copy()], DELETED),
        ([], [held(missed=True, availability="Purged")], [], MISSED),
    ],
)
def test_what_ringcentral_does_not_list_is_extra_and_no_gap(
    there: list[Listed], known: list[Held], copies: list[Archived], why: str
) -> None:
    """Why it is not listed any more is said as far as it is known; nothing was lost by us."""
    comparison = compare(there, known, {"vault": copies}, BOUNDS)
    assert found(comparison) == [("extra", "1", why)]
    assert comparison.is_complete
    assert comparison.total.listed == 0


def test_a_deleted_message_that_was_never_seen_is_missing() -> None:
    """It can still be read, so it can still be delivered."""
    comparison = compare([listed(availability="Deleted")], [], {}, BOUNDS)
    assert found(comparison) == [("missing", "1", UNSEEN)]


@pytest.mark.parametrize(
    ("created", "inside"),
    [
        (BOUNDS.since - timedelta(seconds=1), False),
        (BOUNDS.since, True),
        (BOUNDS.until - timedelta(seconds=1), True),
        (BOUNDS.until, False),
    ],
)
def test_only_the_period_counts(created: datetime, inside: bool) -> None:
    """RingCentral cuts times, so a page may hold more than was asked for."""
    assert bool(compare([listed(created=created)], [], {}, BOUNDS).differences) is inside
    assert bool(compare([], [held(created=created)], {}, BOUNDS).differences) is inside


@pytest.mark.parametrize(
    ("day", "named"),
    [(DAY - timedelta(1), False), (DAY, True), (DAY + timedelta(1), False)],
)
def test_a_copy_of_a_day_that_the_period_cuts_is_not_called_extra(day: date, named: bool) -> None:
    """The archive tells days only; the last day ends at six in the morning."""
    comparison = compare([], [], {"vault": [copy(day=day)]}, BOUNDS)
    assert bool(comparison.differences) is named


def test_what_the_archive_let_go_is_neither_missing_nor_there() -> None:
    """Its time was over: repairing it would undo the retention."""
    gone = Archived("1", DAY, "SMS", removed=True)
    comparison = compare([listed(archiving=VAULT)], [held()], {"vault": [gone]}, BOUNDS)
    assert not comparison.differences
    assert comparison.total == Counts(listed=1, settled=1)
    assert not compare([], [], {"vault": [gone]}, BOUNDS).differences


def test_days_are_those_of_utc() -> None:
    """An evening in America is the next day."""
    evening = datetime.fromisoformat("2026-11-20T20:00:00-05:00")
    comparison = compare([listed(created=evening)], [], {}, BOUNDS)
    assert list(comparison.counts) == [(date(2026, 11, 21), "SMS")]


def test_a_skipped_message_is_counted_as_such() -> None:
    """The route it was for is gone: nothing can be done, and nothing is hidden."""
    comparison = compare([listed()], [held(skipped=frozenset({"gone"}))], {}, BOUNDS)
    assert comparison.total == Counts(listed=1, skipped=1)


def test_types_and_days_are_counted_apart() -> None:
    """Each kind of message of each day has its own row."""
    there = [
        listed("1", type="Fax"),
        listed("2", type="SMS"),
        listed("3", NOON - timedelta(hours=1), type="SMS"),
        listed("4", NOON + timedelta(hours=15), type=None),
    ]
    comparison = compare(there, [held(str(number)) for number in range(1, 5)], {}, BOUNDS)
    assert {place: counts.listed for place, counts in comparison.counts.items()} == {
        (DAY, "Fax"): 1,
        (DAY, "SMS"): 2,
        (DAY + timedelta(1), "unknown"): 1,
    }


IDS = st.sets(st.integers(1, 30).map(str))


@given(there=IDS, known=IDS, copies=IDS)
def test_every_message_that_one_side_lacks_is_named(
    there: set[str], known: set[str], copies: set[str]
) -> None:
    """Whatever is lost wherever: the names are exactly those that are not everywhere."""
    comparison = compare(
        [listed(one, archiving=VAULT) for one in there],
        [held(one) for one in known],
        {"vault": [copy(one) for one in copies]},
        BOUNDS,
    )
    assert {one.id for one in comparison.of("missing")} == there - (known & copies)
    assert {one.id for one in comparison.of("extra")} == (known | copies) - there
    assert comparison.total.listed == len(there)
    assert comparison.total.archived == len(copies)
