"""docs/plugin-template is installed as a package would be, is found, and passes its own tests."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TEMPLATE = Path(__file__).parents[3] / "docs/plugin-template"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the template, and the environment of a process that has it installed."""
    folder = tmp_path_factory.mktemp("plugin")
    copy, site = folder / "copy", folder / "site"
    shutil.copytree(TEMPLATE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(site))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options)
    subprocess.run([*pip, str(copy)], check=True, timeout=100)
    return copy, {**os.environ, "PYTHONPATH": str(site), "CHAT_TOKEN": "0123456789"}


def run(folder: Path, environ: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass(installed: tuple[Path, dict[str, str]]) -> None:
    """The suite for all handlers and its own, run as its author would run them."""
    assert " passed" in run(*installed, "pytest", "-q", "-p", "no:cacheprovider")


def test_it_is_found(installed: tuple[Path, dict[str, str]]) -> None:
    """By its name, with its options; and the example of its page is accepted."""
    copy, environ = installed
    shown = run(copy, environ, "ringpost", "handlers", "show", "chat")
    assert shown.startswith("chat: Says in a chat channel that a message has come.")
    assert "token   text, a secret  must be given" in shown
    (block,) = (copy / "README.md").read_text().split("```toml\n")[1:]
    (copy / "ringpost.toml").write_text(block.partition("```")[0])
    assert "office-chat  configured  chat" in run(copy, environ, "ringpost", "handlers", "list")


def test_it_needs_nothing_but_ringpost() -> None:
    """What it names is all there is to install."""
    project = tomllib.loads((TEMPLATE / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == ["ringpost"]
