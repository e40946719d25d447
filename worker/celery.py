"""The Celery app: its settings, and the life of a worker process around its tasks."""

import asyncio
import contextlib
import gc
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn

import aiohttp
import structlog
from celery import Celery
from celery.beat import SchedulingError
from celery.exceptions import CPendingDeprecationWarning
from celery.platforms import SecurityWarning
from celery.signals import (
    setup_logging,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from . import patient_consumer
from .bridge import LoopBridge
from .broker_guard import guard_broker_loss
from .configuration import Configuration
from .handlers.contract import ClosingHandler, Handler
from .handlers.loading import load_all
from .logs import configure_logs
from .problems import ConfigurationError
from .process import WorkerProcess
from .settings import Settings, environment

log = structlog.get_logger()

REFUSED = 2
# Heroku and Kubernetes kill after 30 seconds.
GRACE_SECONDS = 20.0
_THREADS = 16
# Our workers meet in the ledger; Celery's talk among them costs each start a second, and a
# traceback whenever the broker goes. There is no setting for it.
_ALONE = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}

guard_broker_loss()
# Celery warns of root because of pickle; we accept nothing but JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)


def _settings() -> dict[str, Any]:
    """Read when Celery first needs them, so that importing the app needs no environment."""
    try:
        broker = Settings().broker_url
    except ConfigurationError as error:
        refuse(error)
    return {
        "broker_url": broker,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 10,
        "broker_transport_options": {
            "global_keyprefix": "ringpost:",
            # Small, so that a dead worker's tasks come back soon; no task runs for half of it.
            "visibility_timeout": 1200,
            "unacked_restore_interval": 15,
            "unacked_restore_throttle": 2,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "max_connections": 100,
        },
        "imports": ("worker.tasks",),
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_default_queue": "live",
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_ignore_result": True,
        "task_publish_retry": False,
        "worker_pool": "threads",
        "worker_concurrency": _THREADS,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": False,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        **patient_consumer.SETTINGS,
        "beat_schedule": {
            "heal": {"task": "worker.heal", "schedule": 60.0, "options": {"expires": 50}},
        },
    }


app = Celery("worker", set_as_current=False)
app.add_defaults(_settings)


class _Running:
    """The bridge and the process of this worker; there is none in beat or in a test."""

    bridge: LoopBridge | None = None
    process: WorkerProcess | None = None


def running() -> tuple[LoopBridge, WorkerProcess]:
    """The bridge to the loop, and the process that lives on it."""
    if _Running.bridge is None or _Running.process is None:
        raise RuntimeError("no worker process has been started")
    return _Running.bridge, _Running.process


async def publish(task: str, arguments: dict[str, list[str]]) -> None:
    """Send one task to the queue; OSError while the broker is away."""
    try:
        await asyncio.to_thread(app.send_task, task, kwargs=arguments, queue="live")
    except OperationalError as error:
        raise ConnectionError(f"the broker is away: {error}") from error


def refuse(error: ConfigurationError) -> NoReturn:
    """Say what is wrong and end the process with the code that asks not to be restarted."""
    sys.stderr.write(f"{error}\n")
    sys.exit(REFUSED)


@setup_logging.connect
def _set_up_logging(**_: Any) -> None:
    configure_logs()
    for name in ("celery.beat", "kombu.asynchronous.hub"):
        logging.getLogger(name).addFilter(_in_one_line)


def _in_one_line(record: logging.LogRecord) -> bool:
    """What beat and timers cannot do while the broker is away or refuses, they do later."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, SchedulingError):
        error = error.__context__
    if isinstance(error, OperationalError | RedisError):
        record.msg, record.args = record.getMessage().partition("\n")[0], None
        record.exc_info = None
    return True


@worker_init.connect
def _open(sender: Any = None, **_: Any) -> None:
    if sender is not None:
        sender.options.update(_ALONE)
    try:
        settings = Settings()
        configuration, handlers = load_all(settings.config, environment())
        if not configuration.accounts and (missing := settings.missing_credentials()):
            raise ConfigurationError([f"{', '.join(missing)}: not set; see .env.example"])
    except ConfigurationError as error:
        refuse(error)
    with _or_end():
        bridge = _Running.bridge = LoopBridge()
        _Running.process = bridge.call(_open_process(settings, configuration, handlers), 60)


@contextlib.contextmanager
def _or_end() -> Iterator[None]:
    """End the process if it cannot start: Celery would swallow the error and take tasks."""
    try:
        yield
    except ConfigurationError as error:
        refuse(error)
    except Exception as error:
        log.error("worker cannot start", exc_info=error)
        raise SystemExit(1) from error


async def _open_process(
    settings: Settings,
    configuration: Configuration,
    handlers: dict[str, Handler | ClosingHandler],
) -> WorkerProcess:
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100))
    return WorkerProcess(settings, configuration, handlers, publish, session)


@worker_ready.connect
def _start(**_: Any) -> None:
    # At each loss of the broker Celery warns of a default that is set above; it has just asked for
    # all its warnings.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    with _or_end():
        bridge, process = running()
        bridge.call(process.start(), 60)
    # What is loaded by now stays: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    threading.Thread(target=_drain_process, name="drain").start()


def _drain_process() -> None:
    bridge, process = running()
    bridge.call(process.drain(GRACE_SECONDS), GRACE_SECONDS + 5)
    bridge.drain(1)


@worker_shutdown.connect
def _close(**_: Any) -> None:
    bridge, process = running()
    bridge.call(process.stop(), 30)
    bridge.stop()
