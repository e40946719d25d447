"""What /metrics says of given facts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ringpost.admin.exposition import exposition, families
from ringpost.admin.labels import shown
from ringpost.admin.reading import Facts
from ringpost.completeness_status import Completeness
from worker.ledger import Overview
from worker.ledger.reconciliation import LastReconciliation, MailboxDifferences

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MAILBOX: dict[str, Any] = {
    "mailbox": "400131426008/400131427008",
    "last_sync": NOW - timedelta(seconds=60),
    "next_sync": None,
    "due": 2,
    "failed": 1,
    "missed": 3,
    "last_error": None,
    "covered_until": NOW + timedelta(days=1),
}
OVERVIEW: dict[str, Any] = {
    "mailboxes": [
        MAILBOX,
        MAILBOX | {"last_sync": NOW - timedelta(hours=1), "covered_until": None},
        MAILBOX | {"last_sync": None, "last_error": "token sec2ret", "covered_until": None},
    ],
    "counts": {"Everything is kept": {"done": 3, "failed": 1}},
    "due": 6,
    "bulk": 1,
    "running": 4,
    "waiting": 5,
    "failed": 3,
    "polling": True,
    "budgets": [
        {
            "account": 'the "clinic"\\\n',
            "group": "medium",
            "limit": 40,
            "window": 60,
            "left": 7,
            "paused_until": NOW + timedelta(seconds=30),
            "waiting": 17,
            "waiting_bulk": 2,
            "waiting_until": None,
            "refused": 1,
        }
    ],
    "breakers": [
        {
            "handler": "office-mail",
            "since": NOW,
            "reason": "mail.sec6ret.example.com refuses",
            "next_probe": None,
            "waiting": 9,
        }
    ],
    "subscriptions": [
        {
            "id": "7e4a7486-sub",
            "address": "https://example.com/sec3ret",
            "token_digest": "sec4ret",
            "filters": ["/one"],
            "active_until": (NOW + timedelta(seconds=90)).timestamp(),
        }
    ],
    "problem": "RingCentral refuses the login of +16505550100",
    "unwatched": [],
}
COUNTED = {
    "ringpost_calls_total\tlight\t200": 5.0,
    "ringpost_step_seconds\tmail\t0.01": 2.0,
    "ringpost_step_seconds\tmail\t1": 1.0,
    "ringpost_step_seconds\tmail\tsum": 0.75,
    "ringpost_of_another_version_total\tx": 1.0,
    "ringpost_syncs_total\twith\ttoo many": 1.0,
}
RECONCILED = LastReconciliation(
    at=NOW,
    since=NOW,
    until=NOW,
    mailboxes={
        "400131426008/400131427008": MailboxDifferences(missing=2, failed=1),
        "400131426008/400131428008": MailboxDifferences(extra=4, problem="sec5ret"),
    },
)


def facts(**changed: Any) -> Facts:
    """The facts above, with parts of the overview changed."""
    oldest = (NOW - timedelta(seconds=500)).timestamp()
    completeness = Completeness(RECONCILED, None, 0)
    return Facts(Overview.model_validate(OVERVIEW | changed), COUNTED, oldest, completeness)


@pytest.fixture
def samples() -> dict[tuple[str, ...], float]:
    """What is said of the facts at NOW: name and label values, and the value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families(facts(), NOW.timestamp())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        (("ringpost_redis_up",), 1),
        (("ringpost_deliveries_open", "due"), 6),
        (("ringpost_deliveries_open", "bulk"), 1),
        (("ringpost_deliveries_open", "failed"), 3),
        (("ringpost_oldest_undelivered_seconds",), 500),
        (("ringpost_deliveries_total", "Everything is kept", "done"), 3),
        (("ringpost_mailboxes", "dark"), 2),
        (("ringpost_mailboxes", "covered"), 1),
        (("ringpost_mailboxes_unsynchronised",), 1),
        (("ringpost_mailboxes_failing",), 1),
        (("ringpost_oldest_sync_seconds",), 3600),
        (("ringpost_missed_messages",), 9),
        (("ringpost_problem",), 1),
        (("ringpost_subscriptions", "active"), 1),
        (("ringpost_subscription_left_seconds",), 90),
        (("ringpost_limit_left", OVERVIEW["budgets"][0]["account"], "medium"), 7),
        (("ringpost_limit_paused_seconds", OVERVIEW["budgets"][0]["account"], "medium"), 30),
        (("ringpost_breaker_open", "office-mail"), 1),
        (("ringpost_breaker_waiting", "office-mail"), 9),
        (("ringpost_reconciliation_differences", "missing"), 2),
        (("ringpost_reconciliation_unread_mailboxes",), 1),
        (("ringpost_calls_total", "light", "200"), 5),
        (("ringpost_step_seconds_bucket", "mail", "0.01"), 2),
        (("ringpost_step_seconds_bucket", "mail", "0.5"), 2),
        (("ringpost_step_seconds_bucket", "mail", "1"), 3),
        (("ringpost_step_seconds_bucket", "mail", "+Inf"), 3),
        (("ringpost_step_seconds_count", "mail"), 3),
        (("ringpost_step_seconds_sum", "mail"), 0.75),
    ],
)
def test_each_fact_is_told(
    samples: dict[tuple[str, ...], float], sample: tuple[str, ...], value: float
) -> None:
    """The fact stands under its name and labels; buckets add up."""
    assert samples[sample] == value


def test_what_another_version_counted_is_left_out(samples: dict[tuple[str, ...], float]) -> None:
    """Neither an unknown name nor labels of another number break anything."""
    assert not [name for name, *_ in samples if "version" in name or "syncs" in name]


def test_it_can_be_parsed_with_any_names() -> None:
    """Quotes, backslashes and line ends in names of accounts and routes are escaped."""
    account, route = OVERVIEW["budgets"][0]["account"], 'a "route"\\\nof two lines {x="y"}'
    text = exposition(facts(counts={route: {"done": 1}})).decode()
    found = {f.name: f for f in text_string_to_metric_families(text)}
    assert found["ringpost_limit_left"].samples[0].labels["account"] == account
    assert found["ringpost_deliveries"].samples[0].labels["route"] == route


def test_there_are_samples_of_nothing_before_anything_happened() -> None:
    """On an empty ledger nothing waits; a reconciliation that was never made has no samples."""
    empty = facts(mailboxes=[], subscriptions=[], budgets=[], counts={})
    text = exposition(Facts(empty.overview, {}, None, Completeness(None, None, 0))).decode()
    assert "ringpost_oldest_undelivered_seconds 0.0\n" in text
    assert "ringpost_oldest_sync_seconds 0.0\n" in text
    assert "\nringpost_reconciliation" not in text


def test_no_secret_and_no_number_is_told() -> None:
    """Canaries in every text of the facts: no address, id, error or whole number comes out."""
    told = json.dumps(OVERVIEW, default=str)
    assert all(canary in told for canary in ("sec2ret", "sec3ret", "sec4ret", "+16505550100"))
    counts = {"Calls of +16505550100": {"done": 1}, "Calls of (650) 555-0200": {"done": 2}}
    text = exposition(facts(counts=counts)).decode()
    for canary in ("ret", "6505550", "555-02", "4001314", "7e4a7486", "example.com", "refuses"):
        assert canary not in text.replace("retried", "").replace("retry", "")
    [family] = [f for f in text_string_to_metric_families(text) if f.name == "ringpost_deliveries"]
    assert sum(sample.value for sample in family.samples) == 3  # equal names are one series


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("office-mail", "office-mail"),
        ("+16505550100", "\N{HORIZONTAL ELLIPSIS}00"),
        ("1 (650) 555-0199 at night", "\N{HORIZONTAL ELLIPSIS}99 at night"),
        ("floor 3, 2026", "floor 3, 2026"),
    ],
)
def test_numbers_in_names(name: str, there: str) -> None:
    """What may be a phone number is cut down to two digits; other names stay."""
    assert shown(name) == there
