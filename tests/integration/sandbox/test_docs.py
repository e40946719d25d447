"""docs/sandbox.md says what the code says, and its examples run."""

import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from sandbox import Settings
from sandbox.calls.control import Control, routes
from sandbox.generated_commands import as_option
from sandbox.sentences import SENTENCES, Sentence
from sandbox.settings import AT_START

ROOT = Path(__file__).parents[3]
PLUGIN = str(ROOT / "sandbox/pytest_plugin.py")
PAGE = (ROOT / "docs/sandbox.md").read_text()


def row_of_setting(name: str) -> str:
    """A setting as the page's table has it."""
    info = Settings.model_fields[name]
    default = info.get_default(call_default_factory=True)
    shown = "none to speak of" if name == "limits" else "" if default is None else f"`{default}`"
    if name == "scopes":
        shown = " ".join(f"`{scope}`" for scope in str(default).split())
    start = " (at the start only)" if name in AT_START else ""
    return f"| `{name}` | {_choices(info.annotation)} | {shown} | {info.description}{start} |"


def row_of_sentence(sentence: Sentence) -> str:
    """A sentence as the page's table has it: the call, without types."""
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in sentence.parameters]
    call = str(inspect.Signature(parameters)).replace("'", '"')
    return f"| `{sentence.method.__name__}{call}` | {sentence.meaning} |"


def _choices(annotation: Any) -> str:
    kind = as_option(annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    names = {str: "text", int: "whole number", float: "number", bool: "true, false"}
    kinds = [kind, *get_args(kind)]
    return next((names[k] for k in kinds if k in names), "by group")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting(name: str) -> None:
    """Its name, values, default and meaning are on the page."""
    assert row_of_setting(name) in PAGE.splitlines()


@pytest.mark.parametrize("name", SENTENCES)
def test_each_sentence(name: str) -> None:
    """Its call and meaning are on the page."""
    assert row_of_sentence(SENTENCES[name]) in PAGE.splitlines()


def test_nothing_else() -> None:
    """The tables have no row that is not in the code."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    paths = [row for row in rows if re.match(r"\| `(GET|POST|PATCH|DELETE) ", row)]
    assert len(rows) - len(paths) == len(Settings.model_fields) + len(SENTENCES)


async def test_the_control_paths(ringcentral: Any) -> None:
    """The page names the control API's paths, all of them."""
    named = set(re.findall(r"^\| `([A-Z]+ /sandbox\S*)`", PAGE, re.MULTILINE))
    assert named == {f"{method} {path}" for method, path, _ in routes(Control(ringcentral.server))}


def test_the_examples_run(tmp_path: Path) -> None:
    """The page's tests pass, with the fixture that pytest finds by itself."""
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) >= 2
    for place, example in enumerate(examples):
        (tmp_path / f"test_example_{place}.py").write_text(example)
    options = ("-q", "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(examples)} passed" in done.stdout


def test_without_pytest_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in loads all the same; the fixture then says what is missing."""
    assert "running_sandbox" in runpy.run_path(PLUGIN)
    monkeypatch.setitem(sys.modules, "pytest_asyncio", None)
    loaded = runpy.run_path(PLUGIN)
    assert "running_sandbox" not in loaded
    assert "ringcentral_sandbox" in loaded
