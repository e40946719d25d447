"""`ringpost status` on a ledger whose overview is told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from ringpost.__main__ import app
from worker.ledger import Ledger, Overview

MAILBOX = "400131426008/400131427008"
MOMENT = datetime(2026, 11, 23, 14, 32, 5, tzinfo=UTC)
OVERVIEW: dict[str, Any] = {
    "mailboxes": [
        {
            "mailbox": MAILBOX,
            "last_sync": MOMENT,
            "next_sync": None,
            "due": 2,
            "failed": 0,
            "missed": 0,
            "last_error": None,
            "covered_until": datetime(2026, 11, 30, tzinfo=UTC),
        }
    ],
    "counts": {"Everything is kept": {"done": 3}},
    "due": 2,
    "bulk": 0,
    "running": 0,
    "waiting": 0,
    "failed": 0,
    "polling": False,
    "budgets": [
        {
            "account": "",
            "group": "medium",
            "limit": 40,
            "window": 60,
            "left": 0,
            "paused_until": datetime(2026, 11, 23, 14, 33, 5, tzinfo=UTC),
            "waiting": 17,
            "waiting_bulk": 2,
            "waiting_until": datetime(2026, 11, 23, 14, 34, 5, tzinfo=UTC),
            "refused": 1,
        }
    ],
    "subscriptions": [
        {
            "id": "7e4a7486",
            "address": "https://example.com/webhook",
            "token_digest": "d",
            "filters": ["/one", "/two"],
            "active_until": 1795444325.5,
            "checked": 0,
        }
    ],
    "problem": None,
    "unwatched": [],
}


def _status(monkeypatch: pytest.MonkeyPatch, url: str, *words: str, **changed: Any) -> str:
    async def overview(_: Ledger) -> Overview:
        return Overview.model_validate(OVERVIEW | changed)

    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setattr(Ledger, "overview", overview)
    answer = CliRunner().invoke(app, ["status", *words])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_every_time_is_iso(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """Programs read times in one form, those of the subscription included."""
    facts = json.loads(_status(monkeypatch, redis_url, "--json"))
    assert facts["mailboxes"][0]["last_sync"] == "2026-11-23T14:32:05Z"
    [subscription] = facts["subscriptions"]
    assert subscription["active_until"] == "2026-11-23T14:32:05.500000+00:00"
    assert subscription["checked"] is None
    assert facts["problem"] is None


def test_a_problem_is_shown(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """What keeps us from looking after the mailboxes stands first; there is no line without."""
    words = "RingCentral refuses the login"
    shown = _status(monkeypatch, redis_url, problem=words)
    assert shown.startswith(f"problem: {words}; see `ringpost check`\n")
    assert json.loads(_status(monkeypatch, redis_url, "--json", problem=words))["problem"] == words
    assert "problem" not in _status(monkeypatch, redis_url)


def test_mailboxes_and_routes(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """The tables have a line for each."""
    shown = _status(monkeypatch, redis_url, subscriptions=[])
    assert MAILBOX in shown
    assert "Everything is kept" in shown


def test_limits(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """Each of RingCentral's limits has a line: what is left, until when it is paused, the queue."""
    shown = _status(monkeypatch, redis_url)
    [line] = [line for line in shown.splitlines() if line.startswith("medium, 40 in 60 s")]
    assert ":33:05" in line  # the hour is that of the reader's zone
    assert " 17 " in line


def test_subscriptions_have_a_line_each(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """How many filters it has and how long it lives; nothing is said of darkness without any."""
    shown = _status(monkeypatch, redis_url)
    assert "RingCentral tells what is new in every mailbox\n" in shown
    assert "subscription 7e4a7486: 2 filters, until 2026-11-23 14:32" in shown
    assert "dark" not in shown


def test_a_dark_mailbox_says_since_when_and_why(
    monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    """People and programs see which mailbox is dark, since when, and why."""
    lit = OVERVIEW["mailboxes"][0]
    dark = {
        **lit,
        "mailbox": "400131426008/400131428008",
        "covered_until": None,
        "dark_since": MOMENT,
        "dark_because": "RingCentral has disabled its filter (SUB-412)",
    }
    changed = {"mailboxes": [lit, dark], "polling": True}
    shown = _status(monkeypatch, redis_url, **changed)
    assert "RingCentral does not tell of 1 of 2 mailboxes: they are polled\n" in shown
    [line] = [line for line in shown.splitlines() if line.startswith("400131426008/400131428008")]
    assert "2026-11-23 14:32" in line.removeprefix("400131426008/400131428008")
    assert line.rstrip().endswith("RingCentral has disabled its filter (SUB-412)")
    facts = json.loads(_status(monkeypatch, redis_url, "--json", **changed))
    assert [one["dark_since"] for one in facts["mailboxes"]] == [None, "2026-11-23T14:32:05Z"]


def test_what_is_missing_for_whom(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """A mailbox that the user may not read is named, with the permission and who grants it."""
    lack = {
        "mailbox": "400131426008/400131428008",
        "account": "clinic",
        "extension": "102 Grace Hopper",
        "missing": ["ReadMessages"],
    }
    shown = _status(monkeypatch, redis_url, unwatched=[lack])
    [line] = [line for line in shown.splitlines() if line.startswith("mailbox 4001")]
    assert "account clinic" in line
    assert "lacks ReadMessages for extension 102 Grace Hopper" in line
    assert "an administrator gives the user a role" in line


def test_before_the_first_check(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """Without a mailbox nothing is said to be covered."""
    assert "no mailbox is watched yet" in _status(monkeypatch, redis_url, mailboxes=[])


def test_how_far_a_backlog_has_come(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """While old messages are read in, a line says how far back, and how far it has to go."""
    back = {"walked_back_to": MOMENT, "walks_back_to": datetime(2025, 11, 1, 8, 0, tzinfo=UTC)}
    mailbox = {**OVERVIEW["mailboxes"][0], **back}
    shown = _status(monkeypatch, redis_url, mailboxes=[mailbox])
    assert f"mailbox {MAILBOX}: reading back to 2025-11-01" in shown
    assert "has come to 2026-11-23" in shown


def test_a_failing_destination_has_a_line(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """An open breaker says which handler, why, when the next probe goes, and how many wait."""
    breaker = {
        "handler": "office-mail",
        "since": datetime(2026, 11, 23, 14, 0, tzinfo=UTC),
        "reason": "connection refused",
        "next_probe": datetime(2026, 11, 23, 14, 35, 5, tzinfo=UTC),
        "waiting": 995,
    }
    shown = _status(monkeypatch, redis_url, breakers=[breaker])
    assert "handler office-mail: its destination fails since 2026-11-23" in shown
    assert "(connection refused); next probe at 2026-11-23" in shown
    assert "waiting 995" in shown
    probing = [breaker | {"next_probe": None}]
    assert "next probe under way" in _status(monkeypatch, redis_url, breakers=probing)
    facts = json.loads(_status(monkeypatch, redis_url, "--json", breakers=[breaker]))
    assert facts["breakers"][0]["next_probe"] == "2026-11-23T14:35:05Z"


def test_bulk_work_is_told_apart(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """How much of what is due can wait stands beside it."""
    assert "due 40 (bulk 38)" in _status(monkeypatch, redis_url, due=40, bulk=38)
