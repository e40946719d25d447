"""The chaos run's reckoning sees what is lost and what is done twice, and takes no excuse."""

from collections import Counter
from collections.abc import Sequence

import pytest

from sandbox.notifications.outbox import Notified
from tests.chaos.fleet import Outage
from tests.chaos.mail_server import Acceptance
from tests.chaos.reckoning import Reckoning


def mail(time: float, worker: str = "worker-1", *, answered: bool = True) -> Acceptance:
    return Acceptance(time, worker, "7", "<7@example.com>", answered)


def reckoned(
    accepted: Sequence[Acceptance] = (mail(100.0),),
    outages: Sequence[Outage] = (),
    archived: Sequence[str] = ("7",),
    notifications: Sequence[Notified] = (),
    in_penalty: int = 0,
) -> list[str]:
    """What was broken when one message was sent."""
    reckoning = Reckoning(
        sent={"7": 99.0},
        archived=archived,
        read={"7"},
        accepted=accepted,
        outages=outages,
        in_penalty=in_penalty,
        notifications=notifications,
        mail_failures=Counter(),
        api_failures=0,
        died=[],
        pause=(50.0, 60.0),
        open=0,
        failed=0,
        seconds=1.0,
    )
    assert list(reckoning.lines())
    return list(reckoning.broken())


def test_all_is_well() -> None:
    """One message, once everywhere."""
    assert reckoned() == []


def test_lost() -> None:
    """A message that is missing in one place is lost, and the place is named."""
    assert reckoned(archived=()) == ["message 7 is lost: not in archive"]
    assert reckoned(accepted=()) == ["message 7 is lost: not in mail"]


def test_archived_twice_and_a_penalty_broken() -> None:
    """Nothing excuses either."""
    kill = Outage("worker-1", 100.0, 101.0)
    assert reckoned(archived=("7", "7"), outages=[kill]) == ["message 7 is archived twice"]
    assert reckoned(in_penalty=2) == ["2 requests inside a penalty"]


@pytest.mark.parametrize(
    ("outages", "excused"),
    [
        ([], False),
        ([Outage("worker-1", 100.2, 101.0)], True),
        ([Outage("worker-2", 100.2, 101.0)], False),  # it was not its mail
        ([Outage("worker-1", 99.9, 101.0)], False),  # before the mail
        ([Outage("worker-1", 100.9, 101.0)], False),  # it was recorded by then
        ([Outage("redis", 101.9, 103.0)], True),  # what it had not written is lost
        ([Outage("redis", 102.1, 103.0)], False),
        ([Outage("redis", 98.0, 105.0), Outage("worker-1", 106.0, 107.0)], True),
        ([Outage("redis", 98.0, 101.0), Outage("worker-1", 106.0, 107.0)], False),
    ],
)
def test_mailed_twice(outages: list[Outage], excused: bool) -> None:
    """Only what fell between the acceptance and the record of that very worker is a cause."""
    broken = reckoned(accepted=[mail(100.0), mail(130.0, "worker-2")], outages=outages)
    assert (broken == []) is excused
    assert all("FOR NO REASON" in line for line in broken)


def test_a_mail_server_that_broke_off() -> None:
    """Who is not told that a mail was taken has to send it again."""
    assert reckoned(accepted=[mail(100.0, answered=False), mail(130.0)]) == []


def test_answers_without_redis() -> None:
    """While Redis is stopped each notification is answered with 200, within three seconds."""
    good = Notified("s", {}, "delivered", sent=55.0, seconds=0.1)
    late = Notified("s", {}, "delivered", sent=55.0, seconds=3.5)
    refused = Notified("s", {}, "Webhook responds with code: [500]", sent=55.0, seconds=0.1)
    before = Notified("s", {}, "lost", sent=49.0)
    assert reckoned(notifications=[good, before]) == []
    assert len(reckoned(notifications=[good, late, refused])) == 2
