"""A worker with the guard (unless UNGUARDED is set) and one slow task, for the broker-loss test."""

import os
import time
from pathlib import Path

from celery import Celery

from worker import patient_consumer
from worker.broker_guard import guard_broker_loss

app = Celery("broker_loss", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_pool="threads",
    worker_concurrency=4,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
)
if "UNGUARDED" not in os.environ:
    guard_broker_loss()
    app.conf.update(patient_consumer.SETTINGS)


@app.task(name="note")
def note(line: str, seconds: float) -> None:
    """Write a line when it starts, and end after a while."""
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{line}\n")
    time.sleep(seconds)
