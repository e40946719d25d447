"""`ringpost test` tries the tests of a configuration, and `ringpost check` does so too."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringpost.__main__ import app

CONFIGURATION = """
include = ["more.toml"]
[handlers.vault]
use = "no.such_plugin:Class"
[[routes]]
name = "Faxes"
match.type = "Fax"
match.pages = ">= 10"
steps = ["vault"]
[[tests]]
name = "a long fax"
given = {type = "Fax", faxPageCount = 12}
expect = ["Faxes"]
"""
FAILING = """
[[tests]]
name = "a short fax"
given = {type = "Fax", faxPageCount = 2}
expect = ["Faxes"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ringpost.toml"
    path.write_text(CONFIGURATION)
    (tmp_path / "more.toml").write_text("")
    return path


def ringpost(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout


def test_tests_that_pass(config: Path) -> None:
    """No handler, Redis or RingCentral is needed."""
    assert ringpost("test", "--config", str(config)) == (0, "1 test passed\n")


def test_a_test_that_fails_is_explained(config: Path) -> None:
    """One that an included file has: where it stands, and which condition did not hold."""
    more = config.with_name("more.toml")
    more.write_text(FAILING)
    code, out = ringpost("test", "--config", str(config))
    assert code == 1
    assert out.splitlines() == [
        f'{more}: [[tests]] "a short fax": "Faxes" did not run',
        '  "Faxes" does not take it',
        '    match.type = "Fax": holds  (message: Fax)',
        '    match.pages = ">= 10": does not hold  (message: 2)',
        "1 of 2 tests failed",
    ]


def test_programs_read_json(config: Path) -> None:
    """Every test, with the reasons of those that failed."""
    config.with_name("more.toml").write_text(FAILING)
    code, out = ringpost("test", "--config", str(config), "--json")
    passed, failed = json.loads(out)
    assert (code, passed["passed"], passed["why"]) == (1, True, [])
    assert (failed["expected"], failed["ran"], failed["missing"]) == (["Faxes"], [], ["Faxes"])
    assert failed["why"][0]["conditions"][1] == {
        "condition": 'match.pages = ">= 10"',
        "holds": False,
        "had": "2",
    }


def test_check_runs_them_and_looks_routes_over(config: Path) -> None:
    """A test that fails and a route that can never match are failures, the rest are warnings."""
    text = CONFIGURATION.replace('"no.such_plugin:Class"', '"archive"\nto = "file:///srv/m"')
    config.write_text(text.replace('">= 10"', '"< 1"') + '[handlers.spare]\nlike = "vault"\n')
    code, out = ringpost("check", "--config-only", "--config", str(config), "--json")
    found = {(one["subject"], one["state"]): one["words"] for one in json.loads(out)}
    assert code == 1
    assert found["routes", "fail"].endswith(
        '[[routes]] "Faxes": can never match: match.pages = "< 1" holds for nothing; '
        "mend its conditions, or remove it"
    )
    assert "[handlers.spare]" in found["routes", "warn"]
    assert found["tests", "fail"].endswith('[[tests]] "a long fax": "Faxes" did not run')


def test_the_creation_is_when_the_test_says(config: Path) -> None:
    """`at` is the time of hours and expressions alike, unless `given` has a time of its own."""
    text = CONFIGURATION.replace('match.pages = ">= 10"', "if = 'at == message.created'")
    config.write_text(text.replace("12}", "12}\nat = 2026-11-22T11:00:00+01:00"))
    assert ringpost("test", "--config", str(config)) == (0, "1 test passed\n")
