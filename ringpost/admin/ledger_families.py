"""The metrics that are facts of the ledger, read when somebody asks."""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ringpost.admin.labels import shown
from worker.ledger import Overview
from worker.ledger.breakers import BreakerStatus
from worker.ledger.budgets import Budget


def ledger_families(overview: Overview, oldest: float | None, now: float) -> Iterator[Metric]:
    """Open work, mailboxes, subscriptions, outcomes and limits; times in epoch seconds.

    By account at most: with hundreds of mailboxes a label for each would be too many series, and
    `/status` has them.
    """
    yield _states(
        "ringpost_deliveries_open",
        "Deliveries by state: due, running, waiting (to be closed), failed; bulk are those of the "
        "due that come behind live work.",
        {
            "due": overview.due,
            "bulk": overview.bulk,
            "running": overview.running,
            "waiting": overview.waiting,
            "failed": overview.failed,
        },
    )
    yield GaugeMetricFamily(
        "ringpost_oldest_undelivered_seconds",
        "Age of the oldest live message that is not delivered yet, 0 without any.",
        max(0.0, now - oldest) if oldest else 0.0,
    )
    yield _outcomes(overview)
    yield from _mailboxes(overview, now)
    yield from _subscriptions(overview, now)
    yield from _limits(overview.budgets, now)
    yield from _breakers(overview.breakers)


def _outcomes(overview: Overview) -> Metric:
    found: Counter[tuple[str, str]] = Counter()
    for route, outcomes in overview.counts.items():
        for outcome, count in outcomes.items():
            found[shown(route), outcome] += count
    family = CounterMetricFamily(
        "ringpost_deliveries_total",
        "Deliveries that ended, by route (with what happened in parentheses, as in status).",
        labels=("route", "outcome"),
    )
    for labels, count in sorted(found.items()):
        family.add_metric(labels, count)
    return family


def _mailboxes(overview: Overview, now: float) -> Iterator[Metric]:
    mailboxes = overview.mailboxes
    dark = sum(one.covered_until is None for one in mailboxes)
    synchronised = [one.last_sync.timestamp() for one in mailboxes if one.last_sync]
    yield _states(
        "ringpost_mailboxes",
        "Watched mailboxes: covered by a subscription, or dark and polled.",
        {"covered": len(mailboxes) - dark, "dark": dark},
    )
    yield GaugeMetricFamily(
        "ringpost_mailboxes_unsynchronised",
        "Watched mailboxes that were never synchronised yet.",
        len(mailboxes) - len(synchronised),
    )
    yield GaugeMetricFamily(
        "ringpost_mailboxes_failing",
        "Watched mailboxes whose last synchronisation failed.",
        sum(one.last_error is not None for one in mailboxes),
    )
    yield GaugeMetricFamily(
        "ringpost_mailboxes_unwatched",
        "Mailboxes that are meant but cannot be watched, or not fully: a permission is missing.",
        len(overview.unwatched),
    )
    yield GaugeMetricFamily(
        "ringpost_oldest_sync_seconds",
        "How long ago the mailbox was synchronised that waits longest, 0 without any.",
        max(0.0, now - min(synchronised)) if synchronised else 0.0,
    )
    yield GaugeMetricFamily(
        "ringpost_missed_messages",
        "Messages of watched mailboxes that were gone before they could be read.",
        sum(one.missed for one in mailboxes),
    )
    yield GaugeMetricFamily(
        "ringpost_problem",
        "Whether something keeps us from logging in or subscribing; /status says what.",
        int(overview.problem is not None),
    )


def _subscriptions(overview: Overview, now: float) -> Iterator[Metric]:
    ends = [one.active_until for one in overview.subscriptions]
    active = sum(end > now for end in ends)
    yield _states(
        "ringpost_subscriptions",
        "Our subscriptions at RingCentral by state.",
        {"active": active, "expired": len(ends) - active},
    )
    yield GaugeMetricFamily(
        "ringpost_subscription_left_seconds",
        "Until the first of our subscriptions runs out, 0 without any.",
        max(0.0, min(ends) - now) if ends else 0.0,
    )


def _limits(budgets: Iterable[Budget], now: float) -> Iterator[Metric]:
    labels = ("account", "group")
    limit = GaugeMetricFamily(
        "ringpost_limit_requests", "Requests that RingCentral allows in a window.", labels=labels
    )
    window = GaugeMetricFamily(
        "ringpost_limit_window_seconds", "The window of that limit.", labels=labels
    )
    left = GaugeMetricFamily(
        "ringpost_limit_left", "Requests that are left of the limit now.", labels=labels
    )
    paused = GaugeMetricFamily(
        "ringpost_limit_paused_seconds",
        "How much longer a limit is paused after a penalty, 0 if it is not.",
        labels=labels,
    )
    waiting = GaugeMetricFamily(
        "ringpost_limit_waiting", "Requests that wait for their turn.", labels=labels
    )
    refused = CounterMetricFamily(
        "ringpost_limit_refused_total", "Times that RingCentral answered 429.", labels=labels
    )
    for budget in budgets:
        values = (shown(budget.account), shown(budget.group))
        if budget.limit is not None and budget.window is not None:
            limit.add_metric(values, budget.limit)
            window.add_metric(values, budget.window)
            left.add_metric(values, budget.left or 0)
        until = budget.paused_until
        paused.add_metric(values, max(0.0, until.timestamp() - now) if until else 0.0)
        waiting.add_metric(values, budget.waiting)
        refused.add_metric(values, budget.refused)
    yield from (limit, window, left, paused, waiting, refused)


def _breakers(breakers: Iterable[BreakerStatus]) -> Iterator[Metric]:
    is_open = GaugeMetricFamily(
        "ringpost_breaker_open",
        "1 for each handler whose destination fails: only probes are sent to it.",
        labels=("handler",),
    )
    waiting = GaugeMetricFamily(
        "ringpost_breaker_waiting",
        "Deliveries that are put off until a probe of that handler succeeds.",
        labels=("handler",),
    )
    found: Counter[str] = Counter()
    for breaker in breakers:
        found[shown(breaker.handler)] += breaker.waiting
    for handler, count in sorted(found.items()):
        is_open.add_metric((handler,), 1)
        waiting.add_metric((handler,), count)
    yield from (is_open, waiting)


def _states(name: str, words: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=("state",))
    for state, value in values.items():
        family.add_metric((state,), value)
    return family
