"""Takes up the configuration as its files now are, while the worker runs; a broken one is refused.

Files are looked at rather than watched for: that works on every file system, also where a
configuration is mounted into a container, and costs some calls of `stat` a second.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog

from .configuration import Configuration, load
from .configuration_files import ConfigurationFiles, Stamp
from .failures import is_our_end, reason
from .handlers.loading import load_all
from .ledger.configurations import (
    ConfigurationLedger,
    ConfigurationStatus,
    route_named,
    step_named,
)
from .problems import ConfigurationError
from .settings import environment
from .started import AnyHandler
from .wording import in_brief

log = structlog.get_logger()

LOOK_SECONDS = 1.0
_GONE = "gone"

Adopt = Callable[[Configuration, Mapping[str, AnyHandler]], Awaitable[None]]


class Reloader:
    """Looks after the configuration of one worker.

    `adopt` makes the worker go by another one; `configuration` is the one that it started with.
    """

    def __init__(
        self, configuration: Configuration, ledger: ConfigurationLedger, adopt: Adopt
    ) -> None:
        self._started_with = self._configuration = configuration
        self._files = ConfigurationFiles(configuration.document.files[0].path, environment)
        self._ledger = ledger
        self._adopt = adopt
        self._stamp: Stamp = {}
        self._is_settled = True
        self._looked_at = ""
        self._status = ConfigurationStatus(
            worker=f"{socket.gethostname()}:{os.getpid()}",
            file=str(self._files.path),
            digest="",
            since=datetime.now(UTC),
        )

    async def begin(self) -> None:
        """Note what the files are like, and tell what is in force; raises LedgerError."""
        self._stamp = await asyncio.to_thread(self._files.stamp)
        self._looked_at = self._status.digest = await asyncio.to_thread(self._files.digest)
        if await asyncio.to_thread(self._changed_meanwhile):
            # what is in force was read from files that nobody can see any more
            self._looked_at = self._status.digest = _GONE
            self._is_settled = False
        await self.report()

    async def look(self) -> None:
        """Take up what has changed, once it has been the same for two looks."""
        stamp = await asyncio.to_thread(self._files.stamp)
        if stamp != self._stamp:
            self._stamp, self._is_settled = stamp, False
            return
        if self._is_settled:
            return
        digest = await asyncio.to_thread(self._files.digest)
        if digest != self._looked_at:
            await self._take_up(digest)
            self._looked_at = digest
        self._is_settled = True

    async def report(self) -> None:
        """Tell which configuration is in force; raises LedgerError."""
        await self._ledger.report(self._status, _names(self._configuration))

    async def leave(self) -> None:
        """The worker ends; raises LedgerError."""
        await self._ledger.leave(self._status.worker)

    async def _take_up(self, digest: str) -> None:
        if digest == self._status.digest:
            self._status.refused = None
            log.info("configuration is again as it is in force", file=self._status.file)
            await self.report()
            return
        try:
            loaded = await asyncio.to_thread(load_all, self._files.path, environment())
            await self._adopt(*loaded)
        except ConfigurationError as error:
            first, *more = error.problems
            await self._refuse(f"{first} (and {len(more)} more)" if more else first)
            return
        # what is loaded is foreign code; whatever it does, the old one goes on
        except BaseException as error:
            if is_our_end(error):
                raise
            await self._refuse(reason(error))
            return
        await self._in_force(loaded[0], digest)

    async def _refuse(self, words: str) -> None:
        self._status.refused = in_brief(words)
        log.error(
            "configuration refused; the one before stays in force",
            file=self._status.file,
            reason=self._status.refused,
        )
        await self.report()

    async def _in_force(self, configuration: Configuration, digest: str) -> None:
        before, self._configuration = self._configuration, configuration
        self._status.digest, self._status.since = digest, datetime.now(UTC)
        self._status.refused = None
        self._status.after_restart = after_restart(self._started_with, configuration)
        log.info(
            "configuration taken up",
            file=self._status.file,
            routes=len(configuration.routes),
            after_restart=", ".join(self._status.after_restart) or None,
        )
        await self._ledger.withdraw(_names(before) - _names(configuration))
        await self.report()

    def _changed_meanwhile(self) -> bool:
        """Whether the files say something else than when the worker read them."""
        try:
            return load(self._files.path, environment()) != self._started_with
        except ConfigurationError:
            return True


def after_restart(started_with: Configuration, now: Configuration) -> list[str]:
    """What of a configuration counts only when the worker starts again."""
    tables = {
        "mailboxes": "mailboxes",
        "[[accounts]]": "accounts",
        "[subscriptions]": "subscriptions",
    }
    return [
        shown for shown, name in tables.items() if getattr(started_with, name) != getattr(now, name)
    ]


def _names(configuration: Configuration) -> set[str]:
    steps = {step for route in configuration.routes for step in route.steps}
    routes = {route_named(route.name) for route in configuration.routes}
    return routes | {step_named(step) for step in steps}
