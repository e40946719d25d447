"""A worker clears the archives that it writes to."""

from pathlib import Path

from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from tests.unit.worker.archive.conftest import SmallArchive

KEPT = CONFIGURATION.replace('to = "{archive}"', 'to = "{archive}"\nkeep = "1y"')


async def test_what_has_had_its_time_goes(
    ringcentral: RingCentral, redis_url: str, tmp_path: Path, eventually: Eventually
) -> None:
    """An old message is removed soon after the start; without `keep` it would stay."""
    archive = SmallArchive(tmp_path / "archive")
    old = archive.keep(1, "2015-01-02")
    line = ShortLine(ringcentral, redis_url, tmp_path)
    try:
        await line.start_worker()
        await line.stop_worker()
        assert old.exists()
        await line.start_worker(configuration=KEPT)
        await eventually(lambda: not old.exists())
    finally:
        await line.stop()
    assert archive.faults() == []
