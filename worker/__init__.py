"""The Celery worker: synchronises mailboxes and delivers their messages."""
