"""The Celery worker: synchronises mailboxes and delivers their messages."""


def __getattr__(name: str) -> object:
    """`app`, for `celery -A worker`: by itself Celery would hide why it cannot be imported."""
    if name == "app":
        from worker.celery import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
