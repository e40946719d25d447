"""`ringpost failures` and `ringpost replay` on a ledger that holds failed deliveries."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from ringpost.__main__ import app
from worker.ledger import DeliveryRecord, Ledger

MOMENT = datetime(2026, 11, 23, 14, 32, tzinfo=UTC)
RECORDS = [
    DeliveryRecord(
        mailbox=f"1/{mailbox}",
        message_id=message,
        route=route,
        state="failed",
        step="mail",
        reason="550 no such user",
        attempts=7,
        created=MOMENT,
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

    async def failures(self, _: Ledger, limit: int = 100) -> list[DeliveryRecord]:
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
    assert replayed.records is None
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
