"""`python -m webhook`: listens until SIGTERM or Ctrl-C, then hands on what is kept and goes."""

import asyncio
import errno
import resource
import signal
import sys

import structlog
import uvloop
from aiohttp import web

from metrics.batches import Batches
from metrics.catalogue import COUNTS
from webhook.app import create_app
from webhook.connections import MOST_CONNECTIONS
from webhook.counting import RedisCounts, Reporter
from webhook.hints import SWEEP, Hints
from webhook.logs import configure_logs
from webhook.outcomes import Outcomes
from webhook.publisher import CeleryPublisher
from webhook.settings import ConfigurationError, Settings, load

UNUSABLE_SETTINGS = 2
CANNOT_LISTEN = 1
OTHER_FILES = 64  # what is open besides connections: the broker's, the log, the loop's own

log = structlog.get_logger()


def main() -> int:
    """Run the webhook; the exit code is 2 for unusable settings, 1 if it cannot listen, else 0."""
    try:
        settings = load()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE_SETTINGS
    configure_logs()
    try:
        uvloop.run(serve(settings))
    except OSError as error:
        sys.stderr.write(f"{_remedy(settings, error)}\n")
        return CANNOT_LISTEN
    return 0


async def serve(settings: Settings) -> None:
    """Listen and answer until a signal comes; raises OSError if it cannot listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    outcomes = Outcomes()
    reporter = Reporter(RedisCounts(settings.redis_url.get_secret_value()), Batches(COUNTS))
    hints = Hints(CeleryPublisher(settings.broker_url))
    app = create_app(settings, hints, outcomes=outcomes, most_connections=_connections())
    runner = web.ServerRunner(app, shutdown_timeout=3.0)
    await runner.setup()
    try:
        await hints.start()
        reporter.start()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        log.info("webhook listens", host=settings.host, port=site.port, path=settings.path)
        hints.note(SWEEP)  # what RingCentral told while nobody listened is not told again
        await stop.wait()
        log.info("webhook stops")
    finally:
        await runner.cleanup()
        await hints.close()
        await reporter.close()
        outcomes.close()


def _connections() -> int:
    """How many connections the files that this process may open allow, of those we want."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        MOST_CONNECTIONS
        if soft == resource.RLIM_INFINITY
        else min(MOST_CONNECTIONS, soft - OTHER_FILES)
    )


def _remedy(settings: Settings, error: OSError) -> str:
    host, port = settings.host, settings.port
    if error.errno == errno.EADDRINUSE:
        return f"PORT {port} on {host} is in use: stop what listens there or set PORT to another"
    if error.errno == errno.EACCES:
        return f"PORT {port} may not be opened by this user: set PORT to 1024 or above"
    reason = error.strerror or str(error)
    return f"HOST {host} cannot be listened on ({reason}): set HOST to one of ours, such as 0.0.0.0"


if __name__ == "__main__":
    sys.exit(main())
