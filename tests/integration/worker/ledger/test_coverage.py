"""Which mailboxes are covered, which are dark, since when and why."""

import time

import pytest

from worker.ledger import Ledger
from worker.ledger.coverage import NOT_YET, RAN_OUT, CoverageLedger, Darkness


@pytest.fixture
def coverage(ledger: Ledger) -> CoverageLedger:
    """The coverage of one credential's mailboxes."""
    return ledger.account("").coverage


async def test_covered_until_it_runs_out(coverage: CoverageLedger) -> None:
    """A cover ends by itself, so that nobody has to live to end it."""
    now = time.time()
    await coverage.cover({"1/1": now + 60, "1/2": now - 5})

    found = await coverage.read()

    assert found["1/1"] == (now + 60, None)
    assert found["1/2"].darkness == Darkness(why=RAN_OUT, since=now - 5)
    assert await coverage.is_covered("1/1")
    assert not await coverage.is_covered("1/2")
    assert not await coverage.is_covered("1/3")
    assert await coverage.count() == 1
    assert await coverage.dark_of(["1/1", "1/2", "1/3"]) == ["1/2", "1/3"]


async def test_dark_since_the_first_time(coverage: CoverageLedger) -> None:
    """The reason may change while it is dark; since when does not, and only the first is news."""
    await coverage.cover({"1/1": time.time() + 60})
    assert await coverage.darken({"1/1": Darkness(why="one", since=1000)}) == ["1/1"]
    assert await coverage.darken({"1/1": Darkness(why="another")}) == []
    assert (await coverage.read())["1/1"].darkness == Darkness(why="another", since=1000)

    await coverage.cover({"1/1": time.time() + 60})
    before = time.time()
    await coverage.darken({"1/1": Darkness(why="again")})
    darkness = (await coverage.read())["1/1"].darkness
    assert darkness is not None
    assert darkness.since is not None
    assert darkness.since > before - 5


async def test_others_are_forgotten(coverage: CoverageLedger) -> None:
    """A mailbox that is not looked after any more is neither covered nor dark."""
    await coverage.cover({"1/1": time.time() + 60, "1/2": time.time() + 60})
    await coverage.darken({"1/3": Darkness(why=NOT_YET)})
    await coverage.keep_only(["1/1"])
    assert await coverage.mailboxes() == ["1/1"]
