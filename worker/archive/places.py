"""Where the handlers of a configuration archive to, and for how long."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from worker.archive.bucket import Bucket
from worker.handlers.archive import Archive


def places(handlers: Mapping[str, object]) -> dict[Path, timedelta | None]:
    """Each folder and the longest that a handler keeps messages there; None is for ever.

    Buckets are left out: what is removed there is the store's own affair.
    """
    found: dict[Path, timedelta | None] = {}
    for handler in handlers.values():
        if isinstance(handler, Archive) and handler.root is not None:
            known = found.get(handler.root, timedelta(0))
            both = None if known is None or handler.keep is None else max(known, handler.keep)
            found[handler.root] = both
    return found


def buckets(handlers: Mapping[str, object]) -> list[Bucket]:
    """Each bucket that is archived to."""
    archives = (handler for handler in handlers.values() if isinstance(handler, Archive))
    found = {str(one.bucket.address): one.bucket for one in archives if one.bucket is not None}
    return list(found.values())
