"""The examples name every setting there is, with its default, and the configuration loads."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, SecretStr
from pydantic_settings import BaseSettings

from ringpost.admin.settings import AdminSettings
from webhook.settings import Settings as WebhookSettings
from worker.handlers.archive import Archive
from worker.handlers.email import Email
from worker.handlers.loading import load_all
from worker.handlers.mark_read import MarkRead
from worker.settings import Settings

SETTINGS: tuple[type[BaseSettings], ...] = (Settings, WebhookSettings, AdminSettings)


def names(field: str, alias: object) -> list[str]:
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [alias] if isinstance(alias, str) else [field.upper()]


@pytest.fixture(scope="module")
def example(deploy: Path) -> dict[str, str]:
    """The variables of `.env.example` with what stands behind them."""
    text = (deploy / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]*)=(.*)$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def variables(deploy: Path) -> set[str]:
    """What the example configuration refers to."""
    text = (deploy / "ringpost.example.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return set(re.findall(r"\$\{(\w+)\}", "\n".join(lines)))


def test_every_setting_is_named(deploy: Path, example: dict[str, str], variables: set[str]) -> None:
    """All settings of worker and webhook, what the example configuration wants, and no other."""
    text = (deploy / ".env.example").read_text()
    wanted = set(variables)
    for settings in SETTINGS:
        for field, info in settings.model_fields.items():
            first, *others = names(field, info.validation_alias)
            wanted.add(first)
            assert all(re.search(rf"\b{other}\b", text) for other in others)
    assert example.keys() == wanted


def test_defaults_are_the_real_ones(deploy: Path, example: dict[str, str]) -> None:
    """A line with # in front shows what holds without it; the media host is derived."""
    text = (deploy / ".env.example").read_text()
    shown = dict(re.findall(r"^#([A-Z][A-Z_]*)=(.*)$", text, re.MULTILINE))
    real: dict[str, Any] = {"RC_MEDIA_URL": Settings(rc_media_url=None).server.media}
    for settings in SETTINGS:
        for field, info in settings.model_fields.items():
            if info.default is not None:
                real.setdefault(names(field, info.validation_alias)[0], info.default)
    assert shown == {name: f"{real[name]}" for name in shown}
    assert all(not value for name, value in example.items() if name not in shown)


def test_no_secret_in_the_examples(example: dict[str, str]) -> None:
    """What is secret is left to be filled in."""
    for settings in SETTINGS:
        for field, info in settings.model_fields.items():
            if SecretStr in {info.annotation, *getattr(info.annotation, "__args__", ())}:
                assert example[names(field, info.validation_alias)[0]] == ""


def environ(variables: set[str]) -> dict[str, str]:
    return dict.fromkeys(variables, "smtps://user:password@mail.example.com")


def test_the_example_configuration_loads(deploy: Path, variables: set[str]) -> None:
    """With a made-up environment it gives the handlers it names, ready to be used."""
    configuration, handlers = load_all(deploy / "ringpost.example.toml", environ(variables))
    assert isinstance(handlers["vault"], Archive)
    assert isinstance(handlers["office-mail"], Email)
    assert isinstance(handlers["mark-read"], MarkRead)
    assert configuration.mailboxes == ("~",)
    assert len(configuration.routes) == 5


def test_the_release_check_accepts_the_examples(
    repository: Path, deploy: Path, tmp_path: Path, variables: set[str]
) -> None:
    """The release step of the Procfile takes them, and says which variable is not set."""
    lines = (repository / "Procfile").read_text().splitlines()
    program, *arguments = dict(line.split(": ") for line in lines)["release"].split()
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    plain = {n: v for n, v in os.environ.items() if not n.startswith(("RC_", "WEBHOOK_", "REDIS_"))}
    plain |= {"RINGPOST_CONFIG": str(deploy / "ringpost.example.toml")}
    for more, code in ((environ(variables), 0), ({}, 1)):
        run = subprocess.run(
            command, env=plain | more, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert run.returncode == code, run.stdout + run.stderr
    assert "SMTP_URL" in run.stdout + run.stderr


@pytest.mark.parametrize("process", ["web", "worker", "admin", "beat"])
def test_the_procfile_names_programs_that_exist(repository: Path, process: str) -> None:
    """The module can be found, or Celery finds the app."""
    lines = (repository / "Procfile").read_text().splitlines()
    words = dict(line.split(": ") for line in lines)[process].split()
    if words[0] == "python":
        code = f"import importlib.util as u; assert u.find_spec('{words[2]}.__main__')"
    elif words[0] == "ringpost":
        command = f"typer.main.get_command(app).commands['{words[1]}']"
        code = f"import typer.main; from ringpost.__main__ import app; {command}"
    else:
        assert words[:2] == ["celery", "-A"]
        code = f"from celery.app.utils import find_app; assert find_app('{words[2]}').main"
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)
