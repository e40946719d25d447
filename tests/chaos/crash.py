"""Fault points, put in from outside: wraps the doors through which a process has its effects.

`install()` is called in a process of a test before the real program runs in it; nothing of this
is in production. The process dies when it comes to the point whose name stands in the file that
`CRASH_AT` names, and takes the file away, so that its successor lives.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from message_store import auth, http
from webhook import publisher
from worker import celery
from worker.archive import chain_writer
from worker.handlers import smtp
from worker.ledger import connection, coverage, subscription, tokens

Call = Callable[..., Awaitable[Any]]


def passing(point: str) -> None:
    """Die here if this is the point."""
    armed = Path(os.environ["CRASH_AT"])
    with contextlib.suppress(FileNotFoundError):
        if armed.read_text() == point:
            armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Wrap all doors of this process."""
    _around(connection.Connection, "run", lambda _, script, *__: str(script))
    _around(http.Http, "_exchange", lambda _, operation, *__: str(operation))
    _around(auth.Authenticator, "_ask", lambda *_: "login")
    _around(tokens.RedisTokenStore, "save", lambda *_: "save token")
    _around(subscription.SubscriptionLedger, "save", lambda *_: "save subscription")
    _around(coverage.CoverageLedger, "cover", lambda *_: "save cover")
    _around(smtp.SmtpConnection, "_transfer", lambda *_: "mail")
    _around(smtp.SmtpConnection, "_stream", lambda *_: "dot", pause=0.1)
    # Blocking, and so sharp: a moment later the task may run in this very process.
    _around_blocking(celery.app, "send_task", lambda *_: "publish")
    _around_blocking(publisher.CeleryPublisher, "publish", lambda *_: "hand on")
    _around_blocking(chain_writer.ChainWriter, "record", lambda *_, **__: "chain")
    _around_blocking(os, "fsync", _synced)
    _around_blocking(Path, "replace", lambda _, target: f"commit {Path(target).name}")


def _around(
    owner: Any, name: str, point: Callable[..., str], *, pause: float | None = None
) -> None:
    """Make an asynchronous call a point before and one after it, that one after a pause."""
    original: Call = getattr(owner, name)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        here = point(*args)
        passing(f"before {here}")
        answer = await original(*args, **kwargs)
        if pause is not None:
            await asyncio.sleep(pause)
        passing(f"after {here}")
        return answer

    setattr(owner, name, wrapped)


def _around_blocking(owner: Any, name: str, point: Callable[..., str]) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        here = point(*args)
        passing(f"before {here}")
        answer = original(*args, **kwargs)
        passing(f"after {here}")
        return answer

    setattr(owner, name, wrapped)


def _synced(descriptor: int) -> str:
    path = Path(f"/proc/self/fd/{descriptor}").readlink()
    return "sync folder" if path.is_dir() else f"sync {path.name}"
