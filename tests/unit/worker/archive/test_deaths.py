"""A process that is killed between any two of its effects leaves an archive that keeps its word."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.unit.worker.archive.conftest import SmallArchive

ROOT = Path(__file__).parents[4]
REVISION = "23/Fax-1/revisions/2025-11-26T00-00-00.000Z-read is in no chain"


def deaths(work: str, folder: Path) -> list[dict[str, Any]]:
    """What was found after each death, the last without one left out."""
    command = [sys.executable, "-m", "tests.unit.worker.archive.dying", work, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["status"] for one in found} == {0, 9}
    return found


def test_archiving(archive: SmallArchive) -> None:
    """At worst a folder is in no chain until the retry, which adds its line once."""
    found = deaths("archive_new", archive.root)
    assert len(found) > 30
    said = {fault for one in found for fault in one["died"]}
    assert said == {
        "111/222/2025/12/01/Fax-9 is in no chain",
        "111/222/2025/12/chain.jsonl is cut off in the middle of its last line",
        "chain.jsonl is cut off in the middle of its last line",
        REVISION,
    }
    assert [one for one in found if one["again"]] == []
    assert {tuple(one["lines"]) for one in found} == {(5, 1)}


def test_removing(archive: SmallArchive) -> None:
    """Nowhere in between does a message seem to be missing, and the next run finishes it."""
    found = deaths("expire", archive.root)
    assert len(found) > 20
    said = {fault for one in found for fault in one["died"]}
    assert said <= {"chain.jsonl is cut off in the middle of its last line"}
    assert [one for one in found if one["again"]] == []
    assert {tuple(one["messages"]) for one in found} == {("Fax-3",)}
    assert {tuple(one["lines"]) for one in found} == {(6,)}


def test_holding(archive: SmallArchive) -> None:
    """The file can be read after each death, and the command can be given again."""
    found = deaths("hold", archive.root)
    assert [one for one in found if one["died"] or one["again"] or one["held"] != 2] == []


def test_adopting(archive: SmallArchive) -> None:
    """Begun again, it takes in the rest, and nothing twice."""
    archive.chain.unlink()
    found = deaths("take_in", archive.root)
    assert [one for one in found if one["again"]] == []
    assert {tuple(one["lines"]) for one in found} == {(4,)}
