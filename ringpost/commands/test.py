"""`ringpost test`: the `[[tests]]` that stand beside the routes."""

from typing import TYPE_CHECKING, Any

import typer

from ringpost.commands.options import AsJson, ConfigFile
from ringpost.output import alarm, say, show_json

if TYPE_CHECKING:
    from worker.configuration import Configuration
    from worker.explaining import ExplainedRoute
    from worker.route_tests import Result


def try_tests(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Try the messages of all tests in the configuration on its routes; say why a test failed.

    Nothing is sent or asked: neither RingCentral nor Redis is needed.
    """
    from ringpost.checks.routes import in_lines
    from ringpost.surroundings import read_routes
    from worker.route_tests import run_tests

    configuration = read_routes(config)
    results = run_tests(configuration.tests, configuration.routes)
    failed = [result for result in results if not result.passed]
    if as_json:
        show_json([_for_programs(configuration, result) for result in results])
    else:
        lines = in_lines(configuration, results)
        for line, result in zip(lines, failed, strict=True):
            alarm(line)
            _explain(configuration, result)
        say(_summary(len(results), len(failed)))
    if failed:
        raise typer.Exit(1)


def _explain(configuration: "Configuration", result: "Result") -> None:
    from ringpost.explained import lines

    for one in _in_question(configuration, result):
        for line in lines(one):
            say(f"  {line}")


def _in_question(configuration: "Configuration", result: "Result") -> "list[ExplainedRoute]":
    """The routes that ran or did not though the test says otherwise."""
    from worker.explaining import explain_all

    names = {*result.missing, *result.surplus}
    explained = explain_all(configuration.routes, result.test.facts(), result.test.on)
    return [one for one in explained if one.route.name in names]


def _summary(count: int, failed: int) -> str:
    if not count:
        return "there are no [[tests]]: write some beside the routes"
    if failed:
        return f"{failed} of {count} test{'s'[: count != 1]} failed"
    return f"{count} test{'s'[: count != 1]} passed"


def _for_programs(configuration: "Configuration", result: "Result") -> dict[str, Any]:
    from ringpost.explained import as_dict

    return {
        "name": result.test.name,
        "passed": result.passed,
        "expected": list(result.test.expect),
        "ran": list(result.ran),
        "missing": list(result.missing),
        "surplus": list(result.surplus),
        "why": [as_dict(one) for one in _in_question(configuration, result)],
    }
