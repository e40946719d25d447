"""A worker in a forked process: the real one, its waits cut short, and with fault points."""

import asyncio
import multiprocessing
import os
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import celery.apps.worker
import celery.worker.worker  # noqa: F401  # so that each fork has it

import worker.celery
from tests.chaos import crash
from worker import healing, pump
from worker.handlers import archive, email, mark_read  # noqa: F401  # as well
from worker.ledger import mailboxes, open_ledger, subscription, tokens

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def start_worker(environment: Mapping[str, str], folder: Path) -> BaseProcess:
    """Start one; its log is `log.txt` in `folder`."""
    return _forked(_work, environment, folder)


def start_replay(environment: Mapping[str, str], folder: Path) -> BaseProcess:
    """Start a process that replays all that has failed, as the command does."""
    return _forked(_replay, environment, folder)


def _forked(work: object, environment: Mapping[str, str], folder: Path) -> BaseProcess:
    process = _FORKS.Process(target=work, args=(dict(environment), folder))  # type: ignore[arg-type]  # typeshed
    process.start()
    return process


def _work(environment: dict[str, str], folder: Path) -> None:
    _settle_in(environment, folder)
    worker.celery.app.worker_main(["--quiet", "worker", "--loglevel", "WARNING"])


def _replay(environment: dict[str, str], folder: Path) -> None:
    async def replay_all() -> None:
        async with open_ledger(environment["REDIS_URL"]) as ledger:
            await ledger.replay()

    _settle_in(environment, folder)
    asyncio.run(replay_all())


def _settle_in(environment: dict[str, str], folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(log, standard)
    pump._LEASE_SECONDS = healing._LEASE_SECONDS = 0.5
    tokens._LOGIN_SECONDS = 1
    mailboxes.SYNC_GAP = subscription._CHECK_GAP = 0.1
    worker.celery.GRACE_SECONDS = 0.3
    crash.install()
