"""What is planned for each state in which subscriptions may be found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.mailbox import Mailbox
from message_store.subscription import Subscription
from worker.event_filters import mailbox_filter, reminder_filter
from worker.ledger.subscription import SubscriptionRecord
from worker.subscription_plan import MOST_SUBSCRIPTIONS, Desired, Kind, Plan, plan

ADDRESS = "https://example.com/webhook"
WEEK = 604_800
REMINDER = reminder_filter(WEEK) or ""


def text(number: int) -> str:
    return mailbox_filter(Mailbox("1", str(number)), "message-store")


def desired(*numbers: int, address: str | None = ADDRESS, token: str = "new") -> Desired:
    return Desired({text(n): Mailbox("1", str(n)) for n in numbers}, address, token)


def record(name: str, *numbers: int, **changed: Any) -> SubscriptionRecord:
    """What the ledger knows of one."""
    members = {
        "id": name,
        "address": ADDRESS,
        "token_digest": "new",
        "filters": [text(n) for n in numbers],
        "reminder": REMINDER,
        "lifetime": WEEK,
    }
    return SubscriptionRecord.model_validate(members | changed)


def listed(name: str, *numbers: int, **changed: Any) -> Subscription:
    """What RingCentral has of one."""
    members = {
        "id": name,
        "status": "Active",
        "eventFilters": [*map(text, numbers), REMINDER],
        "expiresIn": WEEK,
        "deliveryMode": {"address": ADDRESS},
    }
    return Subscription.model_validate(members | changed)


def planned(found: Plan) -> list[tuple[str, str | None, int]]:
    return [(a.kind.value, a.subscription_id, len(a.filters)) for a in found.actions]


def test_nothing_to_do() -> None:
    """What is as it should be is kept, and no mailbox is dark."""
    found = plan(desired(1, 2), [record("a", 1, 2)], [listed("a", 1, 2)])
    assert planned(found) == [("keep", "a", 2)]
    assert found.differences == []
    assert found.dark == {}


@pytest.mark.parametrize(("left", "kind"), [(WEEK / 2 - 1, "renew"), (WEEK / 2 + 1, "keep")])
def test_half_of_the_lifetime(left: float, kind: str) -> None:
    """It is renewed when less than half of its own lifetime is left; that is no difference."""
    found = plan(desired(1), [record("a", 1)], [listed("a", 1, expiresIn=int(left))])
    assert planned(found) == [(kind, "a", 1)]
    assert found.differences == []


def test_half_of_a_lifetime_that_was_cut() -> None:
    """It is the lifetime that was granted that counts."""
    cut = record("a", 1, lifetime=120, reminder=reminder_filter(120))
    answer = listed("a", 1, expiresIn=61, eventFilters=[text(1), cut.reminder])
    assert planned(plan(desired(1), [cut], [answer])) == [("keep", "a", 1)]


@pytest.mark.parametrize(
    ("known", "there", "reason"),
    [
        ({}, {"status": "Blacklisted"}, "its status is Blacklisted"),
        ({}, {"status": "Suspended"}, "its status is Suspended"),
        ({}, {"status": None}, "its status is None"),
        (
            {"address": "https://old.example.com/?secret"},
            {},
            'the address has changed from "https://old.example.com/"',
        ),
        ({"token_digest": "old"}, {}, "the verification token has changed"),
    ],
)
def test_what_is_replaced(known: dict[str, Any], there: dict[str, Any], reason: str) -> None:
    """Whatever cannot be mended: its filters go to a new one."""
    found = plan(desired(1, 2), [record("a", 1, 2, **known)], [listed("a", 1, 2, **there)])
    assert planned(found) == [("replace", "a", 2)]
    assert found.actions[0].reason.startswith(reason)
    assert found.dark.keys() == {text(1), text(2)}


def test_dark_since_it_was_blacklisted() -> None:
    """RingCentral tells since when, and why."""
    told = {"blacklistedAt": "2026-11-25T09:00:00Z", "reason": "[Read timed out]"}
    there = listed("a", 1, status="Blacklisted", blacklistedData=told)
    darkness = plan(desired(1), [record("a", 1)], [there]).dark[text(1)]
    assert darkness.since == datetime(2026, 11, 25, 9, tzinfo=UTC).timestamp()
    assert "[Read timed out]" in darkness.why


def test_what_is_gone_is_made_again() -> None:
    """Its filters stay together; the record is named so that it can be forgotten."""
    found = plan(desired(1, 2, 3), [record("a", 1, 2)], [])
    assert planned(found) == [("create", "a", 3)]
    assert found.actions[0].reason.startswith("it is gone")


def test_disabled_and_taken_out_filters_are_put_again() -> None:
    """Only they are dark."""
    disabled = [{"filter": text(2), "reason": "SUB-412"}]
    there = listed("a", 1, 2, disabledFilters=disabled)
    found = plan(desired(1, 2, 3), [record("a", 1, 2, 3)], [there])
    assert planned(found) == [("update", "a", 3)]
    assert "1 filter disabled by RingCentral: 1/extension/2/" in found.actions[0].reason
    assert "1 filter taken out by someone: 1/extension/3/" in found.actions[0].reason
    assert found.dark.keys() == {text(2), text(3)}
    assert "SUB-412" in found.dark[text(2)].why


def test_joiners_fill_what_has_room() -> None:
    """Those who are there stay where they are, and what is full is left alone."""
    records = [record("a", 1, 2), record("b", 3)]
    actual = [listed("a", 1, 2), listed("b", 3)]
    found = plan(desired(1, 2, 3, 4, 5), records, actual, most_filters=2)
    assert planned(found) == [("keep", "a", 2), ("update", "b", 2), ("create", None, 1)]
    assert found.dark.keys() == {text(4), text(5)}


def test_leavers_are_taken_out() -> None:
    """The rest stays; one that nobody needs any more is deleted, or forgotten if it is gone."""
    records = [record("a", 1, 2), record("b", 3), record("c", 4)]
    found = plan(desired(1), records, [listed("a", 1, 2), listed("b", 3)], most_filters=2)
    assert planned(found) == [("update", "a", 1), ("delete", "b", 0), ("forget", "c", 0)]
    assert found.actions[0].reason == "1 filter not needed any more: 1/extension/2/message-store"
    assert found.dark == {}


def test_a_filter_in_two_of_them_stays_in_the_one_that_works() -> None:
    """As after a crash between making the new one and deleting the old one."""
    records = [record("old", 1, token_digest="old"), record("new", 1)]
    found = plan(desired(1), records, [listed("old", 1), listed("new", 1)])
    assert planned(found) == [("keep", "new", 1), ("delete", "old", 0)]


def test_orphans_and_strangers() -> None:
    """With our address: left behind. With another: not ours to touch, not even without filters."""
    foreign = listed("foreign", 1, deliveryMode={"address": "https://example.org"})
    found = plan(desired(1), [record("a", 1)], [listed("a", 1), listed("orphan", 1), foreign])
    assert planned(found) == [("keep", "a", 1), ("delete", "orphan", 0)]


def test_without_an_address_ours_are_deleted() -> None:
    """Whatever the ledger knows goes; nothing else can be told to be ours."""
    found = plan(desired(address=None), [record("a", 1)], [listed("a", 1), listed("b", 1)])
    assert planned(found) == [("delete", "a", 0)]


def test_a_reminder_that_is_too_long() -> None:
    """It is put again, to fit the lifetime that was granted."""
    short = record("a", 1, lifetime=3600)
    found = plan(desired(1), [short], [listed("a", 1, expiresIn=3600)])
    assert planned(found) == [("update", "a", 1)]
    assert found.actions[0].reason == "its reminder does not fit the lifetime that was granted"


def test_deletions_come_last() -> None:
    """What is to take the place of something is made before."""
    order = [kind.value for kind in Kind]
    assert order.index("delete") > max(map(order.index, ("update", "replace", "create", "renew")))


@given(
    steps=st.lists(st.sets(st.integers(1, 60), min_size=1), min_size=1, max_size=6),
    most=st.integers(1, 8),
)
def test_filters_stay_and_fit_whatever_comes_and_goes(steps: Sequence[set[int]], most: int) -> None:
    """After any changes each filter is in one subscription, of at most 15, and none has moved."""
    records: list[SubscriptionRecord] = []
    made = 0
    for numbers in steps:
        where = {f: one.id for one in records for f in one.filters}
        wanted = desired(*numbers)
        actual = [listed(one.id, eventFilters=[*one.filters, REMINDER]) for one in records]
        found = plan(wanted, records, actual, most_filters=most)
        records = []
        for action in found.actions:
            assert action.kind not in (Kind.REPLACE, Kind.FORGET)
            if action.filters:
                made += 1
                name = action.subscription_id or f"s{made}"
                records.append(record(name, filters=list(action.filters)))
        placed = [f for one in records for f in one.filters]
        assert sorted(placed) == sorted(wanted.filters)
        assert len(records) <= MOST_SUBSCRIPTIONS
        now = {f: one.id for one in records for f in one.filters}
        assert all(now[f] == where[f] for f in now.keys() & where.keys())
