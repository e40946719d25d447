"""Each part loads what it needs and nothing of its neighbours."""

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import worker.tasks", {"webhook", "sandbox", "ringpost", "typer", "aiosmtpd"}),
        ("import worker.tasks", {"worker.handlers.email", "worker.handlers.archive"}),
        ("import worker.routes, worker.configuration", {"aiohttp", "celery", "redis"}),
        ("import worker.handlers.contract", {"aiohttp", "celery", "redis", "aiosmtplib"}),
        ("import ringpost.handlers", {"aiohttp", "celery", "redis", "webhook", "sandbox"}),
        ("import message_store.message, message_store.errors", {"aiohttp", "celery", "redis"}),
        ("import sandbox.server", {"message_store", "webhook", "worker", "ringpost", "celery"}),
    ],
)
def test_what_an_import_does_not_load(statement: str, absent: set[str]) -> None:
    """Importing a part leaves these modules alone."""
    assert absent & loaded(statement) == set()
