"""Each part loads what it needs and nothing of its neighbours."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from worker.handlers.built_in import BUILT_IN


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


def test_celery_tells_what_is_missing(tmp_path: Path) -> None:
    """Where a dependency is not installed it is named, not an attribute of the worker."""
    (tmp_path / "aiohttp.py").write_text("raise ModuleNotFoundError('No module named aiohttp')")
    run = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "worker", "worker"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.rstrip().endswith("ModuleNotFoundError: No module named aiohttp")


def test_every_built_in_handler_is_held_apart() -> None:
    """The rule that a handler knows no other names all of them."""
    rules = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    (rule,) = [
        one
        for one in rules["tool"]["importlinter"]["contracts"]
        if one["name"] == "a handler knows no other"
    ]
    assert sorted(rule["modules"]) == sorted(use.partition(":")[0] for use in BUILT_IN.values())
