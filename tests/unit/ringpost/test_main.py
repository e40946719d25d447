"""The command line as a whole."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

import ringpost.__main__ as command_line
from ringpost.refusal import Refusal

HEAVY = {"aiohttp", "celery", "redis", "pydantic", "pydantic_settings", "structlog", "worker"}


def test_help_loads_nothing_heavy() -> None:
    """`ringpost --help` imports none of the libraries that commands need, so it is quick."""
    code = (
        "import sys, ringpost.__main__ as m\n"
        "sys.argv = ['ringpost', '--help']\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "messages" in done.stdout
    assert not HEAVY & set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("words", [["-h"], ["sandbox", "-h"], ["messages", "list", "-h"]])
def test_short_help(words: list[str]) -> None:
    """`-h` is `--help` everywhere, in the sandbox's own commands too."""
    done = subprocess.run(
        [sys.executable, "-m", "ringpost", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert f"Usage: {' '.join(['ringpost', *words[:-1]])}" in done.stdout.replace("python -m ", "")


def test_the_version() -> None:
    """Whoever reports something can say of which version, without knowing pip."""
    answer = CliRunner().invoke(command_line.app, ["--version"])
    assert answer.output == f"ringpost {version('ringpost')}\n"


def test_a_refusal_is_its_lines_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback: each problem is a line on standard error."""

    def refuse() -> None:
        raise Refusal("first", "second", exit_code=2)

    monkeypatch.setattr(command_line, "app", refuse)
    with pytest.raises(SystemExit) as end:
        command_line.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "first\nsecond\n"
