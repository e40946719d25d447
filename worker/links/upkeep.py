"""Deletes what links no longer open."""

import asyncio
import time
from pathlib import Path

from worker.ledger.links import LinkLedger

_IN_THE_MAKING = 3600.0
_AT_ONCE = 500


async def delete_dead_links(folder: Path, ledger: LinkLedger) -> int:
    """Delete the files of links that have expired or were opened as often as they could be.

    Says how many. One that was just written may not be in the ledger yet: it is left for an hour.
    """
    deleted = 0
    names = await asyncio.to_thread(_older_files, folder)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        dead = set(some) - await ledger.known(some)
        for name in dead:
            await asyncio.to_thread((folder / name).unlink, missing_ok=True)
        deleted += len(dead)
    return deleted


def _older_files(folder: Path) -> list[str]:
    before = time.time() - _IN_THE_MAKING
    try:
        return [path.name for path in folder.iterdir() if path.stat().st_mtime < before]
    except FileNotFoundError:  # no link was ever made, or another worker deletes as well
        return []
