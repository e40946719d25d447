"""Where the handlers of a configuration archive to, and for how long."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from worker.handlers.archive import Archive


def places(handlers: Mapping[str, object]) -> dict[Path, timedelta | None]:
    """Each folder and the longest that a handler keeps messages there; None is for ever."""
    found: dict[Path, timedelta | None] = {}
    for handler in handlers.values():
        if isinstance(handler, Archive):
            known = found.get(handler.root, timedelta(0))
            both = None if known is None or handler.keep is None else max(known, handler.keep)
            found[handler.root] = both
    return found
