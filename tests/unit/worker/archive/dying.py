"""Kills a process at each of its effects in turn.

Run as `python -m tests.unit.worker.archive.dying WORK FOLDER`. A child does the work in a copy of
FOLDER and dies just before its n-th effect, or halfway through it if that is a write. Then the work
is done again as a retry does it. A line of JSON for each death: what is wrong with the archive
after it, and what after the retry.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.unit.worker.archive.conftest import SmallArchive
from worker.archive import verification
from worker.archive.adoption import adopt
from worker.archive.holds import Hold, read_holds, write_hold
from worker.archive.retention import remove_expired

EFFECTS = ("write", "fsync", "replace", "rename", "mkdir", "rmdir", "unlink", "ftruncate", "open")
DIED = 9


def archive_new(small: SmallArchive) -> None:
    """A first message of a mailbox's month, and a revision of another."""
    small.keep(9, "2025-12-01")
    small.commit(small.month / "23/Fax-1/revisions/2025-11-26T00-00-00.000Z-read", 1)


def expire(small: SmallArchive) -> None:
    """Removal of the two messages of the 23rd."""
    for _ in remove_expired(small.root, timedelta(days=1), date(2025, 11, 25)):
        pass


def hold(small: SmallArchive) -> None:
    """A hold on top of another."""
    for message in ("1", "2"):
        new = Hold(
            mailbox="111/222",
            message=message,
            reason="r",
            by="b",
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        write_hold(small.root, new)
    read_holds(small.root)


def take_in(small: SmallArchive) -> None:
    """Adoption of all that has lost its chain."""
    assert all(isinstance(one, Path) for one in adopt(small.root))


WORKS: dict[str, Callable[[SmallArchive], None]] = {
    work.__name__: work for work in (archive_new, expire, hold, take_in)
}


def die_at(point: int, *, halfway: bool) -> None:
    """End this process just before its effect of this number, or halfway through its n-th write."""
    count = 0

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*args: Any, **options: Any) -> Any:
            nonlocal count
            if (name == "open" and not args[1] & os.O_CREAT) or (halfway and name != "write"):
                return real(*args, **options)
            count += 1
            if count == point:
                if halfway:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os._exit(DIED)
            return real(*args, **options)

        return effect

    for name in EFFECTS:
        setattr(os, name, wrapped(name, getattr(os, name)))


def main(work: Callable[[SmallArchive], None], folder: Path) -> None:
    """See the module."""
    verification.SETTLING_SECONDS = 0
    for halfway in (False, True):
        point = 0
        status = DIED
        while status == DIED:
            point += 1
            root = folder.with_name(f"{work.__name__}-{halfway}-{point}")
            shutil.copytree(folder, root)
            child = os.fork()
            if child == 0:
                die_at(point, halfway=halfway)
                work(SmallArchive(root))
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            again = SmallArchive(root)
            died = again.faults()
            work(SmallArchive(root))
            lines = [path.read_bytes() for path in sorted(root.rglob("chain.jsonl"))]
            found = {
                "status": status,
                "died": died,
                "again": again.faults(),
                "lines": [len(chain.splitlines()) for chain in lines],
                "messages": sorted(path.parent.name for path in root.rglob("manifest.json")),
                "held": len(read_holds(root)),
            }
            print(json.dumps(found), flush=True)  # noqa: T201  # this is the answer
            shutil.rmtree(root)


if __name__ == "__main__":
    main(WORKS[sys.argv[1]], Path(sys.argv[2]))
