"""A worker in a forked process: the real one, its waits cut short, and with fault points."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import celery.apps.worker
import celery.worker.worker  # noqa: F401  # so that each fork has it

import worker.celery
from ringpost.__main__ import main
from tests.chaos import crash
from worker import healing, process, pump
from worker.backfill import filling
from worker.handlers import archive, email, mark_read  # noqa: F401  # as well
from worker.ledger import connection, mailboxes, subscription, tokens

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def start_worker(environment: Mapping[str, str], folder: Path) -> BaseProcess:
    """Start one; its log is `log.txt` in `folder`."""
    return _forked(_work, environment, folder)


def start_command(environment: Mapping[str, str], folder: Path, *words: str) -> BaseProcess:
    """Start `ringpost` with these words."""
    return _forked(_command, environment, folder, *words)


def _forked(
    work: Callable[..., None], environment: Mapping[str, str], folder: Path, *words: str
) -> BaseProcess:
    process = _FORKS.Process(target=work, args=(dict(environment), folder, *words))
    process.start()
    return process


def _work(environment: dict[str, str], folder: Path) -> None:
    _settle_in(environment, folder)
    worker.celery.app.worker_main(["--quiet", "worker", "--loglevel", "WARNING"])


def _command(environment: dict[str, str], folder: Path, *words: str) -> None:
    _settle_in(environment, folder)
    sys.argv = ["ringpost", *words]
    main()


def _settle_in(environment: dict[str, str], folder: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(log, standard)
    pump._LEASE_SECONDS = 0.5
    healing._LEASE_SECONDS = 2.0  # a renewal that comes later lets a second check subscribe as well
    tokens._LOGIN_SECONDS = 1
    process._POSTPONED_SECONDS = 0.3
    filling._LEASE_SECONDS, filling._IDLE = 1.0, 0.2
    connection.script_text = _hurried  # type: ignore[assignment]  # no cache
    mailboxes.SYNC_GAP = subscription._CHECK_GAP = 0.1
    worker.celery.GRACE_SECONDS = 0.3
    crash.install()


def _hurried(name: str, script: Callable[[str], str] = connection.script_text) -> str:
    """A script of the ledger whose breakers are probed half a second after they open."""
    return script(name).replace(
        "FIRST_PAUSE, LONGEST_PAUSE, MOVED = 5, 30", "FIRST_PAUSE, LONGEST_PAUSE, MOVED = 5, 0.5"
    )
