"""`ringpost failures` and `ringpost replay` on a ledger that holds failed deliveries."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import redis
from typer.testing import CliRunner, Result

from message_store.mailbox import Mailbox
from ringpost.__main__ import app
from worker.ledger import Admitted, DeliveryRecord, Ledger, open_ledger
from worker.ledger.records import Delivery

MOMENT = datetime(2026, 11, 23, 14, 32, tzinfo=UTC)
RECORDS = [
    DeliveryRecord(
        mailbox=f"1/{mailbox}",
        message_id=message,
        route=route,
        state="failed",
        step="chat" if message == "11" else "mail",
        reason="the room is full" if message == "11" else "550 no such user",
        attempts=7,
        created=MOMENT + timedelta(days=int(message) - 10),
        on=on,
    )
    for mailbox, message, route, on in (
        ("2", "10", "all", "created"),
        ("2", "11", "faxes", "created"),
        ("3", "12", "faxes", "read"),
    )
]


class Replayed:
    """The ledger's two calls; remembers what was replayed. Its own tests are the ledger's."""

    def __init__(self) -> None:
        self.records: list[DeliveryRecord] | None = []

    async def failures(self, _: Ledger, limit: int | None = 100) -> list[DeliveryRecord]:
        """The newest failures."""
        return RECORDS[:limit]

    async def replay(self, _: Ledger, records: Sequence[DeliveryRecord] | None = None) -> int:
        """Remember what is asked for."""
        self.records = None if records is None else list(records)
        return len(RECORDS if records is None else records)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Replayed:
    """A ledger with three failures."""
    replayed = Replayed()
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr(Ledger, "failures", lambda *a: replayed.failures(*a))
    monkeypatch.setattr(Ledger, "replay", lambda *a: replayed.replay(*a))
    return replayed


def _run(*arguments: str) -> Result:
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    return answer


@pytest.mark.usefixtures("replayed")
def test_failures_are_listed_for_people_and_programs() -> None:
    """The table has message, route and reason; JSON has the whole records."""
    table = _run("failures").output
    assert "550 no such user" in table
    assert "faxes (read)" in table
    found = json.loads(_run("failures", "--json", "--route", "faxes", "--limit", "1").output)
    assert [record["message_id"] for record in found] == ["11"]
    found = json.loads(_run("failures", "--json", "--route", "faxes").output)
    assert [record["on"] for record in found] == ["created", "read"]


def test_all_or_a_choice_is_replayed(replayed: Replayed) -> None:
    """Filters narrow together; nothing chosen means everything."""
    assert json.loads(_run("replay", "--json").output) == {"replayed": 3}
    assert replayed.records == RECORDS
    assert _run("replay", "--route", "faxes", "--mailbox", "1/3").output == (
        "1 failed delivery is due again\n"
    )
    assert replayed.records == [RECORDS[2]]


def test_a_choice_that_meets_nothing_replays_nothing(replayed: Replayed) -> None:
    """A message id with a typing error must not replay everything."""
    assert json.loads(_run("replay", "--json", "--message", "99").output) == {"replayed": 0}
    assert replayed.records == []


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (["--route", "Nope"], 'no failed delivery has route "Nope"; there are: "all", "faxes"'),
        (["--mailbox", "foo"], 'no failed delivery has mailbox "foo"; there are: "1/2", "1/3"'),
        (["--mailbox", "1/3", "--route", "all"], "no failed delivery has all of this"),
        (["--handler", "x"], 'no failed delivery has handler "x"; there are: "chat", "mail"'),
        (["99", "98"], 'no failed delivery has message "99, 98"; there are: "10", "11", "12"'),
        (
            ["--error", "x"],
            'no failed delivery has error "x"; there are: "550 no such user", "the room is full"',
        ),
    ],
)
def test_a_choice_that_meets_nothing_says_what_there_is(choice: list[str], said: str) -> None:
    """A name with a typing error is told with the right ones."""
    assert _run("failures", *choice).output == f"{said}\n"
    assert _run("replay", *choice).output == f"nothing to replay: {said}\n"


def test_an_empty_ledger(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real ledger, without failures."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert json.loads(_run("failures", "--json").output) == []
    assert _run("replay").output == "nothing to replay: no failed deliveries\n"
    assert json.loads(_run("replay", "--json").output) == {"replayed": 0}


@pytest.mark.parametrize(
    ("choice", "messages"),
    [
        (["10", "12"], ["10", "12"]),
        (["10", "--message", "11"], ["10", "11"]),
        (["--handler", "mail"], ["10", "12"]),
        (["--mailbox", "2"], ["10", "11"]),
        (["--error", "NO SUCH"], ["10", "12"]),
        (["--since", "2026-11-24"], ["11", "12"]),
        (["--until", "2026-11-24T14:32:00+00:00"], ["10"]),
        (["--since", "2026-11-24", "--handler", "mail"], ["12"]),
        (["--until", "1d"], ["10"]),
    ],
)
def test_both_commands_take_the_same_choice(
    replayed: Replayed, monkeypatch: pytest.MonkeyPatch, choice: list[str], messages: list[str]
) -> None:
    """What is listed with a choice is what is replayed with it."""
    monkeypatch.setattr("ringpost.periods.datetime", _Wednesday)
    listed = json.loads(_run("failures", "--json", *choice).output)
    assert [record["message_id"] for record in listed] == messages
    _run("replay", *choice)
    assert [record.message_id for record in replayed.records or []] == messages


class _Wednesday(datetime):
    @classmethod
    def now(cls, _tz: object = None) -> datetime:  # type: ignore[override]  # the narrower is enough
        """A while after the second message."""
        return datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_a_dry_run_does_nothing(replayed: Replayed) -> None:
    """It shows what would be tried again, to people and to programs."""
    said = _run("replay", "--dry-run", "--handler", "mail").output
    assert "550 no such user" in said
    assert "2 failed deliveries would be due again; nothing was done" in said
    answer = json.loads(_run("replay", "--dry-run", "--json", "11").output)
    assert answer["replayed"] == 0
    assert [record["message_id"] for record in answer["would_replay"]] == ["11"]
    assert replayed.records == []


def test_a_time_that_is_none_is_refused() -> None:
    """A typing error must not replay everything."""
    answer = CliRunner().invoke(app, ["replay", "--since", "tomorow"])
    assert answer.exit_code == 2
    assert '"tomorow" is no time' in answer.output


async def _fail(url: str, mailbox: Mailbox) -> None:
    async with open_ledger(url) as ledger:
        message = Admitted("10", 1.0, "Alive", '{"id": 10}', {("all", "created"): Delivery()})
        await ledger.deliveries.admit(mailbox, [message])
        [claim] = await ledger.deliveries.claim(1)
        claim.delivery.state, claim.delivery.step = "failed", "mail"
        await ledger.deliveries.settle(claim)


def test_a_real_failure_is_replayed_in_bulk(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands and the ledger agree: listed, tried on dry ground, then due behind live work."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    asyncio.run(_fail(redis_url, Mailbox("1", "2")))

    [listed] = json.loads(_run("failures", "--json", "--handler", "mail").output)
    assert listed["message_id"] == "10"
    assert "would be due again" in _run("replay", "--dry-run").output
    assert json.loads(_run("replay", "--json", "10").output) == {"replayed": 1}

    assert json.loads(_run("failures", "--json").output) == []
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.zrange("ringpost:ledger:bulk-due:1/2", 0, -1) == ["10\tall"]
