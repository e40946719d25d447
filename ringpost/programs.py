"""What `ringpost run` starts besides Redis: the same commands as in the Procfile."""

import sys
from pathlib import Path

from ringpost.child import Program
from ringpost.probes import LOOPBACK, answers_health
from webhook.settings import Settings as WebhookSettings

_WORKER_STOPS_WITHIN = 55.0  # its own: 20 s for work under way, 30 s to close
_WILDCARDS = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}  # noqa: S104  # only looked up


def webhook(settings: WebhookSettings) -> Program:
    """The public face."""
    return Program(
        name="webhook",
        command=(sys.executable, "-m", "webhook"),
        ready=answers_health(reachable(settings.host), settings.port),
        stop_within=10,
    )


def worker() -> Program:
    """Synchronises and delivers."""
    return Program(
        name="worker",
        command=(*_CELERY, "worker", "--loglevel", "WARNING"),
        stop_within=_WORKER_STOPS_WITHIN,
    )


def beat(data: Path) -> Program:
    """Gives the time."""
    return Program(
        name="beat",
        command=(*_CELERY, "beat", "--schedule", str(data / "beat-schedule"), "--pidfile="),
    )


_CELERY = (sys.executable, "-m", "celery", "--quiet", "--app", "worker")


def reachable(host: str) -> str:
    """An address of this machine at which a listener on `host` can be reached."""
    return _WILDCARDS.get(host, host)
