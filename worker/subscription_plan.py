"""What has to be done so that the subscriptions that are become those that should be. Pure.

A filter stays in its subscription, so that a change of one mailbox leaves the others alone; filters
are spread over several subscriptions, so that the end of one leaves not all mailboxes dark.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from message_store.mailbox import Mailbox
from message_store.subscription import Subscription

from .event_filters import is_reminder, reminder_fits, same
from .ledger.coverage import NOT_YET, Darkness
from .ledger.subscription import SubscriptionRecord
from .problems import address

FILTERS_PER_SUBSCRIPTION = 1000
# Half of the 30 that RingCentral allows to a user and app: each may exist twice for a while.
# Source: https://developers.ringcentral.com/api-reference/Subscriptions/createSubscription
MOST_SUBSCRIPTIONS = 15


@dataclass(frozen=True)
class Desired:
    """What should be: filters, with the mailbox that each tells of (None: it tells of no mailbox).

    Without an `address` there should be no subscription.
    """

    filters: Mapping[str, Mailbox | None]
    address: str | None
    token_digest: str


class Kind(StrEnum):
    """What is done about one subscription."""

    KEEP = "keep"
    RENEW = "renew"
    UPDATE = "update"
    REPLACE = "replace"
    CREATE = "create"
    DELETE = "delete"
    FORGET = "forget"


@dataclass(frozen=True)
class Action:
    """One thing to do and why; `filters` are what the subscription shall have afterwards.

    `subscription_id` is the one that it is done to, None if there is none yet. A replaced one is
    deleted once there is a new one; one to be created again is gone and is forgotten then.
    """

    kind: Kind
    reason: str
    filters: tuple[str, ...] = ()
    subscription_id: str | None = None

    def __str__(self) -> str:
        named = f" {self.subscription_id}" if self.subscription_id else ""
        return f"{self.kind}{named}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """What to do, in order, and which filters bring nothing now, with the reason."""

    actions: tuple[Action, ...]
    dark: Mapping[str, Darkness]

    @property
    def differences(self) -> list[Action]:
        """What is not as it should be; a renewal that is due is none."""
        return [a for a in self.actions if a.kind not in (Kind.KEEP, Kind.RENEW)]


@dataclass
class _Group:
    """The filters that belong together in one subscription, there or yet to be made."""

    record: SubscriptionRecord | None = None
    actual: Subscription | None = None
    fault: str | None = None
    filters: list[str] = field(default_factory=list)


def plan(
    desired: Desired,
    records: Sequence[SubscriptionRecord],
    actual: Sequence[Subscription],
    *,
    most_filters: int = FILTERS_PER_SUBSCRIPTION,
) -> Plan:
    """Compare what should be with what the ledger knows and RingCentral has.

    One that the ledger does not know is left alone, unless it has our address: then an earlier run
    has left it behind.
    """
    groups = _assigned(desired, records, {one.id: one for one in actual}, most_filters)
    actions = [_action(group) for group in groups]
    actions += _orphans(desired, records, actual)
    actions.sort(key=lambda action: list(Kind).index(action.kind))
    dark = {f: reason for group in groups for f, reason in _dark(group).items()}
    return Plan(tuple(actions), dark)


def served(subscription: Subscription) -> set[str]:
    """What a subscription really brings, each filter in the spelling of `same`."""
    if not subscription.is_active:
        return set()
    return {same(text) for text in subscription.event_filters} - disabled(subscription).keys()


def disabled(subscription: Subscription) -> dict[str, Darkness]:
    """The filters that RingCentral does not serve though they were asked for, and why."""
    found = {}
    for one in subscription.disabled_filters:
        if one.filter is not None:
            code = f" ({one.reason})" if one.reason else ""
            why = f"RingCentral has disabled its filter{code}: check what app and user may do"
            found[same(one.filter)] = Darkness(why=why)
    return found


def _assigned(
    desired: Desired,
    records: Sequence[SubscriptionRecord],
    listed: Mapping[str, Subscription],
    most_filters: int,
) -> list[_Group]:
    """Each desired filter in one group: where it is, where there is room, else in a new one."""
    missing = dict.fromkeys(desired.filters)
    faults = {one.id: _fault(desired, one, listed.get(one.id)) for one in records}
    groups = []
    # a filter that two of them have, after a crash, stays in the one that works
    for record in sorted(records, key=lambda record: faults[record.id] is not None):
        mine = [text for text in record.filters if text in missing]
        groups.append(_Group(record, listed.get(record.id), faults[record.id], mine))
        for text in mine:
            del missing[text]
    size = max(most_filters, math.ceil(len(desired.filters) / MOST_SUBSCRIPTIONS))
    joining = list(missing)
    for group in groups:
        if group.fault is None or group.filters:
            room = max(0, size - len(group.filters))
            group.filters += joining[:room]
            del joining[:room]
    groups += [
        _Group(filters=joining[start : start + size]) for start in range(0, len(joining), size)
    ]
    return groups


def _fault(desired: Desired, record: SubscriptionRecord, actual: Subscription | None) -> str | None:
    """Why a subscription cannot go on, whatever its filters; None if it can."""
    if actual is None:
        return "it is gone: run out, or deleted by someone"
    if desired.address is None:
        return "there is no address any more (WEBHOOK_URL is not set)"
    if record.address != desired.address:
        return f"the address has changed from {address(record.address)}"
    if record.token_digest != desired.token_digest:
        return "the verification token has changed"
    if not actual.is_active:
        reason = actual.blacklisted_data.reason
        return f"its status is {actual.status}" + (f" ({reason})" if reason else "")
    return None


def _action(group: _Group) -> Action:
    record, filters = group.record, tuple(group.filters)
    if record is None:
        words = f"{_count(filters)} in no subscription: {some(filters)}"
        return Action(Kind.CREATE, words, filters)
    if not filters:
        if group.actual is None:
            return Action(Kind.FORGET, group.fault or "", (), record.id)
        return Action(Kind.DELETE, group.fault or "nobody needs it any more", (), record.id)
    if group.actual is None:
        return Action(Kind.CREATE, group.fault or "", filters, record.id)
    if group.fault is not None:
        return Action(Kind.REPLACE, group.fault, filters, record.id)
    if changes := _changes(record, group.actual, filters):
        return Action(Kind.UPDATE, "; ".join(changes), filters, record.id)
    if (group.actual.expires_in or 0) < record.lifetime / 2:
        return Action(Kind.RENEW, "less than half of its lifetime is left", filters, record.id)
    return Action(Kind.KEEP, "it is as it should be", filters, record.id)


def _changes(record: SubscriptionRecord, actual: Subscription, filters: Sequence[str]) -> list[str]:
    """What is to be changed about a subscription that works, in words."""
    wanted = {same(text): text for text in filters}
    brought, dead = served(actual), disabled(actual)
    extra = {text for text in brought - wanted.keys() if not is_reminder(text)}
    off = [text for name, text in wanted.items() if name in dead]
    absent = [text for name, text in wanted.items() if name not in brought and name not in dead]
    known = set(record.filters)
    found = {
        "to be added": [text for text in absent if text not in known],
        "taken out by someone": [text for text in absent if text in known],
        "disabled by RingCentral": off,
        "not needed any more": extra,
    }
    changes = [f"{_count(which)} {words}: {some(which)}" for words, which in found.items() if which]
    if record.reminder is not None and not reminder_fits(record.reminder, record.lifetime):
        changes.append("its reminder does not fit the lifetime that was granted")
    return changes


def _dark(group: _Group) -> dict[str, Darkness]:
    """The group's filters that RingCentral does not serve now, and why."""
    if group.record is None or group.actual is None or group.fault is not None:
        blacklisted = group.actual and group.actual.blacklisted_data.blacklisted_at
        since = blacklisted.timestamp() if blacklisted else None
        why = f"its subscription cannot go on: {group.fault}" if group.fault else NOT_YET
        return dict.fromkeys(group.filters, Darkness(why=why, since=since))
    brought, dead = served(group.actual), disabled(group.actual)
    return {
        text: dead.get(same(text), Darkness(why=NOT_YET))
        for text in group.filters
        if same(text) not in brought
    }


def _orphans(
    desired: Desired, records: Sequence[SubscriptionRecord], actual: Iterable[Subscription]
) -> list[Action]:
    known = {record.id for record in records}
    reason = "the ledger does not know it: left behind by an earlier run"
    return [
        Action(Kind.DELETE, reason, (), one.id)
        for one in actual
        if one.id not in known
        and desired.address is not None
        and one.delivery_mode.address == desired.address
    ]


def some(filters: Iterable[str], most: int = 3) -> str:
    """A few filters by name, from the account on, and how many there are besides."""
    names = [text.rpartition("/account/")[2] for text in filters]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _count(filters: Iterable[str]) -> str:
    number = len(list(filters))
    return f"{number} {'filter' if number == 1 else 'filters'}"
