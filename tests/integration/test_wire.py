"""The wire between webhook and worker: what the one sends the other understands."""

import inspect

import pytest
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.message import Message

from message_store.mailbox import Mailbox
from message_store.notification import parse
from webhook import hints
from webhook.publisher import CeleryPublisher
from worker import syncing
from worker.ledger import mailboxes
from worker.settings import broker_url

NOTIFICATION = (
    b'{"uuid": "1", "event": "/restapi/v1.0/account/4001/extension/5001/message-store",'
    b' "body": {"accountId": 4001, "extensionId": 5001, "changes": []}}'
)


def test_a_hint_is_a_task_of_the_worker(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published task is registered in the worker under that name and takes those arguments."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    from worker.celery import app  # the app reads its environment when it is first used

    app.loader.import_default_modules()
    mailbox = parse(NOTIFICATION).mailbox
    assert mailbox is not None
    publisher = CeleryPublisher(broker_url(redis_url))

    publisher.publish([str(mailbox)])

    message = taken(redis_url, str(app.conf.task_default_queue))
    assert message.content_type.removeprefix("application/") in {
        kind.removeprefix("application/") for kind in app.conf.accept_content
    }
    task = app.tasks[message.headers["task"]]
    args, kwargs, _ = message.payload
    bound = inspect.signature(task.run).bind(*args, **kwargs)
    assert bound.arguments == {"mailboxes": ["4001/5001"]}
    publisher.close()


def test_both_sides_spell_the_hints_that_name_no_mailbox_alike() -> None:
    """All mailboxes, a check of the subscriptions, and a sweep; none can be taken for a mailbox."""
    assert hints.EVERY_MAILBOX == mailboxes.EVERY_MAILBOX
    assert hints.CHECK_SUBSCRIPTIONS == syncing.CHECK_SUBSCRIPTIONS
    assert hints.SWEEP == syncing.SWEEP
    for hint in (hints.EVERY_MAILBOX, hints.CHECK_SUBSCRIPTIONS, hints.SWEEP):
        with pytest.raises(ValueError, match="not a mailbox"):
            Mailbox.parse(hint)


def test_no_task_is_a_coroutine_function(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery would take a coroutine for a result and never run it."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    from worker.celery import app

    app.loader.import_default_modules()

    ours = [task for name, task in app.tasks.items() if name.startswith("worker.")]
    assert len(ours) >= 4
    assert not any(inspect.iscoroutinefunction(task.run) for task in ours)


def taken(redis_url: str, queue: str) -> Message:
    """The one message in a queue of the worker, decoded by kombu."""
    options = {"global_keyprefix": "ringpost:"}
    with Connection(broker_url(redis_url), transport_options=options) as connection:
        channel = connection.channel()
        bound = Queue(queue, routing_key=queue, channel=channel)
        message: Message | None = bound.get(no_ack=True)
        assert message is not None
        assert bound.get(no_ack=True) is None
        return message
