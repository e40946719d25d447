"""Which part gets which variables."""

from pathlib import Path

import pytest

from ringpost.child import Program
from ringpost.programs import discreet, secret_variables
from worker.configuration import load

CONFIGURATION = """
[handlers.mail]
use = "email"
smtp = "${SMTP_URL}"
from = "${HOME}"
[[routes]]
name = "all"
steps = ["mail"]
"""


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("webhook", {"REDIS_URL", "WEBHOOK_URL", "WEBHOOK_VERIFICATION_TOKEN"}),
        ("beat", {"REDIS_URL"}),
        ("admin", {"REDIS_URL"}),
        ("redis", set()),
        ("mail", set()),
        ("sandbox", set()),
        (
            "worker",
            {
                *("RC_JWT", "RINGPOST_KEY", "SMTP_URL"),
                *("REDIS_URL", "WEBHOOK_URL", "WEBHOOK_VERIFICATION_TOKEN"),
            },
        ),
    ],
)
def test_each_part_gets_what_it_needs(
    name: str, needs: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the worker has credentials and what handlers name; nobody is without HOME."""
    monkeypatch.setenv("RC_JWT", "secret")
    monkeypatch.setenv("RINGPOST_KEY", "secret")
    monkeypatch.setenv("SMTP_URL", "smtps://me:secret@mail.example.com")
    path = tmp_path / "ringpost.toml"
    path.write_text(CONFIGURATION)
    environ = {"SMTP_URL": "x", "HOME": "y"}
    secret = secret_variables(load(path, environ))
    program = discreet(Program(name=name, command=("x",)), secret)
    every = {"RC_JWT", "RINGPOST_KEY", "SMTP_URL", "REDIS_URL"}
    every |= {"WEBHOOK_URL", "WEBHOOK_VERIFICATION_TOKEN"}
    assert every - program.withheld == needs
    assert "HOME" not in program.withheld
