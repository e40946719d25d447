"""What a worker process writes, whoever logs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "Meet me at noon"
PROGRAM = f"""
import asyncio, gc, logging, sys
import structlog
from message_store.errors import BadAnswer
from {{module}} import configure_logs

configure_logs()
log = structlog.get_logger()
try:
    try:
        raise ValueError("{SECRET}")
    except ValueError:
        raise BadAnswer("x: our own words")
except BadAnswer as error:
    log.error("failed", exc_info=error, type="a\\nforged line", caller="+16505550147")
    logging.getLogger("library").error("it says {SECRET[:0]}\\n{SECRET}", exc_info=error)

async def crash():
    raise KeyError("{SECRET}")

async def main():
    task = asyncio.create_task(crash())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

asyncio.run(main())
"""


@pytest.mark.parametrize("module", ["worker.logs", "webhook.logs"])
def test_only_our_words(module: str) -> None:
    """Errors are told with place and type, in structlog, libraries and the event loop alike."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout + done.stderr
    assert SECRET not in said
    assert "\nforged line" not in said
    assert said.count("ValueError") == 2
    assert "Task exception was never retrieved" in said
    assert "KeyError" in said
    if module == "worker.logs":
        assert "x: our own words" in said
        assert "***0147" in said
    assert "Traceback" in said


BEAT = """
from celery.beat import Scheduler
from worker.celery import app

app.log.setup()
scheduler = Scheduler(app)
scheduler.apply_entry(scheduler.schedule["heal"])
"""


def test_beat_tells_in_one_line_that_the_broker_is_away(tmp_path: Path) -> None:
    """What passes by itself is no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", BEAT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "REDIS_URL": f"unix://{tmp_path}/nobody.sock"},
    )
    [line] = done.stderr.splitlines()
    assert "Couldn't apply scheduled task heal" in line
