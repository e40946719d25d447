"""The handlers of a process through their life: started, and started again if that failed."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from .failures import is_foreseen, is_our_end, reason
from .handlers.contract import ClosingHandler, Handler, TransientError

log = structlog.get_logger()

AnyHandler = Handler | ClosingHandler


class StartedHandlers:
    """Handlers by the name of their step.

    One whose `start` fails does not keep the others from working: it is tried again when it is
    needed, and until then its deliveries wait.
    """

    def __init__(self, handlers: Mapping[str, AnyHandler]) -> None:
        self._handlers = dict(handlers)
        self._waiting = dict(handlers)
        self._users = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep them from being closed by `close_when_idle` meanwhile."""
        self._users += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._idle.set()

    async def close_when_idle(self) -> None:
        """Close them all as soon as nobody uses them any more."""
        await self._idle.wait()
        await self.close()

    @property
    def all(self) -> Mapping[str, AnyHandler]:
        """All of them by the name of their step, started or not."""
        return self._handlers

    async def start(self) -> None:
        """Start them all; failures are logged."""
        for name in list(self._waiting):
            try:
                await self._start(name)
            except TransientError as error:
                log.error("handler does not start", step=name, reason=str(error))

    async def close(self) -> None:
        """Close them all; failures are logged."""
        for name, handler in self._handlers.items():
            try:
                await handler.close()
            # foreign code: one that cannot close must not keep the others open
            except BaseException as error:
                if is_our_end(error):
                    raise
                log.error("handler does not close", step=name, reason=reason(error))

    def is_closing(self, step: str) -> bool:
        """Whether the step changes the mailbox itself and comes last."""
        return isinstance(self._handlers[step], ClosingHandler)

    def amends(self, step: str) -> bool:
        """Whether the step has an `amend` of its own."""
        handler = self._handlers[step]
        return isinstance(handler, Handler) and type(handler).amend is not Handler.amend

    async def ordinary(self, step: str) -> Handler:
        """The handler of an ordinary step, started; TransientError if it does not start."""
        if step in self._waiting:
            await self._start(step)
        handler = self._handlers[step]
        if not isinstance(handler, Handler):
            raise TypeError(f"step {step} is a closing step")
        return handler

    def closing(self) -> dict[str, ClosingHandler]:
        """The handlers of the closing steps."""
        return {
            name: handler
            for name, handler in self._handlers.items()
            if isinstance(handler, ClosingHandler)
        }

    async def _start(self, name: str) -> None:
        try:
            await self._handlers[name].start()
        # foreign code: whatever it raises, the message waits
        except BaseException as error:
            if is_our_end(error):
                raise
            if not is_foreseen(error):
                log.error("handler does not start", step=name, exc_info=error)
            raise TransientError(f"the handler does not start: {reason(error)}") from error
        self._waiting.pop(name, None)
