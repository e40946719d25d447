"""What a worker does for the archives it writes to, once a day."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from worker.archive.holds import HoldsUnreadableError
from worker.archive.places import places
from worker.archive.retention import remove_expired

log = structlog.get_logger()


async def remove_what_is_expired(handlers: Mapping[str, object]) -> None:
    """Remove messages whose time is over from each archive that does not keep them for ever."""
    for root, keep in places(handlers).items():
        if keep is None or not root.is_dir():
            continue
        removed = 0
        try:
            batches = remove_expired(root, keep, datetime.now(UTC).date())
            # Some at a time, so that a worker that ends does not wait for the whole archive.
            while batch := await asyncio.to_thread(next, batches, None):
                removed += len(batch)
        except HoldsUnreadableError as error:
            log.error("nothing is removed from the archive", reason=str(error))
        except OSError as error:
            log.error("the archive's upkeep failed", archive=str(root), reason=error.strerror)
        if removed:
            log.info("expired messages removed from the archive", messages=removed)
