"""A stock Celery worker that is kept busy: every hint costs it some computing."""

import os
import time

from celery import Celery

from webhook.publisher import KEY_PREFIX, QUEUE, TASK
from webhook.settings import broker_url

BURN_SECONDS = 0.005

app = Celery("busy", broker=broker_url(os.environ["REDIS_URL"]))
app.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    broker_transport_options={"global_keyprefix": KEY_PREFIX},
)


@app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery ships no types
def sync(mailboxes: list[str]) -> None:
    """Compute for a while, as if there were much to do for each hint."""
    end = time.thread_time() + BURN_SECONDS
    while time.thread_time() < end:
        sum(range(500))
