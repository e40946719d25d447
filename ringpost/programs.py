"""What `ringpost run` starts besides Redis: the same commands as in the Procfile."""

import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ringpost.admin.settings import AdminSettings
from ringpost.child import Program
from ringpost.probes import LOOPBACK, answers_health
from webhook.settings import Settings as WebhookSettings
from worker.configuration import Configuration
from worker.settings import environment
from worker.substitution import taken

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


def admin(settings: AdminSettings) -> Program:
    """Shows status and metrics."""
    return Program(
        name="admin",
        command=(sys.executable, "-m", "ringpost", "admin"),
        ready=answers_health(reachable(settings.admin_host), settings.admin_port),
    )


def discreet(program: Program, secret: Collection[str]) -> Program:
    """The program without those of the `secret` variables that its part has no use for."""
    if program.name == "worker":
        return program
    needed = _NEEDED.get(program.name, frozenset()) | _HARMLESS
    return replace(program, withheld=frozenset(secret) - needed)


def secret_variables(configuration: Configuration) -> set[str]:
    """The names of variables that not every part has to know."""
    environ = environment()
    ours = {name for name in environ if name.startswith("RC_") or name == "RINGPOST_KEY"}
    return ours | _WIRE | set(taken(configuration.document.written, environ))


_WIRE = frozenset({"REDIS_URL", "WEBHOOK_VERIFICATION_TOKEN", "WEBHOOK_URL"})
_NEEDED = {
    "webhook": _WIRE | {"HOST", "PORT"},
    "beat": frozenset({"REDIS_URL"}),
    "admin": frozenset({"REDIS_URL", "ADMIN_HOST", "ADMIN_PORT"}),
}
# a configuration may name them, and every program relies on them
_HARMLESS = frozenset(
    {"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "VIRTUAL_ENV", "PYTHONPATH"}
)
_CELERY = (sys.executable, "-m", "celery", "--quiet", "--app", "worker")


def reachable(host: str) -> str:
    """An address of this machine at which a listener on `host` can be reached."""
    return _WILDCARDS.get(host, host)


def address(settings: AdminSettings) -> str:
    """Where the admin process is found on this machine."""
    host = reachable(settings.admin_host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.admin_port}"
