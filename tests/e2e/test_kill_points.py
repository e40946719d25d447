"""A worker is killed at every point between two effects, each time exactly there."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis

from tests.chaos.points import POINTS, WEBHOOK_POINTS, Point
from tests.chaos.scene import Scene

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "crash-safety.md"
SCENES = 6
Outcome = set[str] | Exception

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    """What was done twice, or what went wrong, after a kill at each point that is asked for.

    Several scenes at once: most of the time a successor waits for its predecessor's leases.
    """
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = (item.callspec.params["point"] for item in items if "outcomes" in item.fixturenames)
    wanted = [point for point in asked if isinstance(point, Point)]
    base = tmp_path_factory.mktemp("scenes")
    found: dict[str, Outcome] = {}

    async def play(number: int, points: Sequence[Point]) -> None:
        url = redis_server.replace("db=0", f"db={number + 1}")
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        folder = base / str(number)
        folder.mkdir()
        scene = Scene(url, folder)
        try:
            await scene.start()
            for point in points:
                try:
                    found[point.name] = await scene.kill_at(point)
                except (TimeoutError, AssertionError) as error:
                    found[point.name] = error
        finally:
            await scene.stop()

    async def play_all() -> None:
        scenes = min(SCENES, len(wanted))
        await asyncio.gather(*(play(number, wanted[number::scenes]) for number in range(scenes)))

    asyncio.run(play_all())
    return found


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name.replace(" ", "-"))
def test_killed_exactly_there(point: Point, outcomes: dict[str, Outcome]) -> None:
    """The next worker ends the work: nothing is lost, and no more done twice than is said."""
    outcome = outcomes[point.name]
    assert isinstance(outcome, set), repr(outcome)
    assert outcome <= point.twice


def test_the_page_has_every_point() -> None:
    """The table in the documentation is the list of the tests, and says the same of repeats."""
    rows = re.findall(r"^\| `((?:before|after) [^`]+)` \|.*\| ([^|]*) \|$", DOC.read_text(), re.M)
    told = {name: set(re.findall(r"[a-z]+", twice)) for name, twice in rows}
    assert told == {point.name: set(point.twice) for point in (*POINTS, *WEBHOOK_POINTS)}


def test_every_script_of_the_ledger_is_among_them() -> None:
    """A new script is a new effect, and needs a row of its own before and after it."""
    scripts = {path.stem for path in (ROOT / "worker/ledger/scripts").glob("*.lua")}
    scripts -= {"prelude", "breakers"}  # these two are parts of the others
    named = {point.name for point in POINTS}
    assert {f"{when} {script}" for script in scripts for when in ("before", "after")} <= named
