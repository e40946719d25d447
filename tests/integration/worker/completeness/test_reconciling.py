"""What gets lost is named and repaired: on a real ledger, a real archive and a sandbox."""

import shutil
from typing import ClassVar

from ringpost.handlers import Context, Handler, Message, PermanentError
from sandbox import RingCentral
from tests.integration.worker.completeness.conftest import (
    Completeness,
    Start,
    delivered,
    mailbox_of,
)
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.completeness.comparing import DELETED, UNSEEN
from worker.completeness.round import Round
from worker.ledger.connection import key


class Refusing(Handler):
    """Refuses for good as often as it is told."""

    refusals: ClassVar[int] = 0
    calls: ClassVar[int] = 0

    async def handle(self, message: Message, context: Context) -> str:
        """Count the call."""
        Refusing.calls += 1
        if Refusing.refusals:
            Refusing.refusals -= 1
            raise PermanentError("not today")
        return "taken"


def named(done: Round) -> list[tuple[str, str, str]]:
    return [(d.kind, d.id, d.why) for one in done.found for d in one.comparison.differences]


async def test_what_was_lost_anywhere_is_named_repaired_and_then_complete(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """One message the ledger never saw, one folder is gone: both come again, and nothing else."""
    await start()
    unseen, gone, _ = await delivered(ringcentral, line, eventually, "a", "b", "c")
    assert (await completeness.round()).is_complete
    assert line.worker is not None
    redis = line.worker.ledger.connection.redis
    mailbox = mailbox_of(ringcentral)
    await redis.zrem(key("seen", str(mailbox)), unseen["id"])
    await redis.hdel(key("prints", str(mailbox)), unseen["id"])
    shutil.rmtree(completeness.folder_of(unseen["id"]))
    shutil.rmtree(completeness.folder_of(gone["id"]))

    first = await completeness.round(repair=True)

    assert sorted(named(first)) == sorted(
        [
            ("missing", str(unseen["id"]), UNSEEN),
            ("missing", str(gone["id"]), "vault does not hold it"),
        ]
    )
    assert first.repaired[mailbox].admitted == 2
    await eventually(lambda: line.is_delivered(unseen) and line.is_delivered(gone))
    await eventually(line.is_idle)
    second = await completeness.round(repair=True)
    assert second.is_complete
    assert not second.repaired
    assert second.total.listed == second.total.archived == second.total.settled == 3


async def test_a_deleted_message_is_extra_and_says_why(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """RingCentral lists it no more; that is no gap of ours."""
    await start()
    (message,) = await delivered(ringcentral, line, eventually, "to be deleted")
    assert line.worker is not None
    mailbox = mailbox_of(ringcentral)
    store = line.worker._logins.store_of(mailbox)
    await store.delete(mailbox, [str(message["id"])])

    done = await completeness.round()

    assert named(done) == [("extra", str(message["id"]), DELETED)]
    assert done.is_complete


FAILING = """
[handlers.nowhere]
use = "tests.integration.worker.completeness.test_reconciling:Refusing"
[[routes]]
name = "refused"
match.text = "refuse me"
steps = ["nowhere"]
"""


async def test_a_failed_message_is_named_and_replayed(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """It fails once, is named with its route, and after the repair nothing is left."""
    Refusing.refusals = 1
    await start(CONFIGURATION + FAILING)
    message = await ringcentral.receives_sms("refuse me")
    assert line.worker is not None
    ledger = line.worker.ledger
    await eventually(lambda: ledger.failures())

    done = await completeness.round(repair=True)

    assert named(done) == [("failed", str(message["id"]), 'given up on "refused"')]
    assert done.repaired[mailbox_of(ringcentral)].replayed == 1
    await eventually(line.is_idle)
    assert (await completeness.round()).is_complete


async def test_a_round_costs_one_call_a_mailbox(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """A thousand messages a call, and no call for what is there."""
    await start()
    await delivered(ringcentral, line, eventually, "a", "b")
    before = ringcentral.count("listMessages")
    done = await completeness.round()
    assert done.calls == len(done.found)
    assert ringcentral.count("listMessages") - before == len(done.found)


async def test_repairing_the_archive_repeats_no_other_step(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """The route also does something else, which was done once and stays so."""
    both = CONFIGURATION.replace('steps = ["vault"]', 'steps = ["nowhere", "vault"]')
    Refusing.refusals, Refusing.calls = 0, 0
    await start(both + FAILING.partition("[[routes]]")[0])
    (message,) = await delivered(ringcentral, line, eventually, "once")
    shutil.rmtree(completeness.folder_of(message["id"]))

    await completeness.round(repair=True)

    await eventually(lambda: line.is_delivered(message))
    await eventually(line.is_idle)
    assert Refusing.calls == 1


async def test_an_archive_that_is_not_mounted_is_no_loss(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """It is said, and nothing is brought into a folder that somebody will mount over."""
    await start()
    await delivered(ringcentral, line, eventually, "a", "b")
    completeness.archive.rename(completeness.archive.with_name("elsewhere"))

    done = await completeness.round(repair=True)

    assert list(done.problems) == [str(mailbox_of(ringcentral))]
    assert "mount it" in done.problems[str(mailbox_of(ringcentral))]
    assert not done.repaired
    assert not completeness.archive.exists()


async def test_two_archives_that_lack_the_same_message(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """Both get it again."""
    second = completeness.archive.with_name("second")
    await start(
        f"{CONFIGURATION}\n[[routes]]\nname = 'again'\nsteps = ['second']\n"
        f"[handlers.second]\nuse = 'archive'\nto = '{second}'\n"
    )
    (message,) = await delivered(ringcentral, line, eventually, "twice")
    copies = [completeness.folder_of(message["id"])]
    copies += second.glob(f"*/*/*/*/*/*-{message['id']}")
    for copy in copies:
        shutil.rmtree(copy)

    done = await completeness.round(repair=True, archives={"second": second})

    assert [why for _, _, why in named(done)] == [
        "second does not hold it",
        "vault does not hold it",
    ]
    assert len(copies) == 2
    await eventually(lambda: all((copy / "manifest.json").exists() for copy in copies))
