"""Whether the routes do what they seem to: none without effect, and their tests pass."""

from collections.abc import Iterator

from ringpost.findings import Finding, fail, ok, warn
from worker.configuration import Configuration
from worker.problems import quoted
from worker.reviewing import remarks
from worker.route_tests import Result, run_tests
from worker.tables import Finding as Located


def check_routes(configuration: Configuration) -> list[Finding]:
    """What can never match or is never used, and the `[[tests]]` of the configuration."""
    document = configuration.document
    found = []
    for remark in remarks(configuration):
        (line,) = document.lines([Located(remark.path, remark.words)])
        found.append(fail("routes", line) if remark.is_sure else warn("routes", line))
    results = run_tests(configuration.tests, configuration.routes)
    failed = list(in_lines(configuration, results))
    found += [fail("tests", line, "`ringpost test` says why") for line in failed]
    if results and not failed:
        count = len(results)
        found.append(ok("tests", f"{count} test{'s'[: count != 1]} of the routes passed"))
    return found


def in_lines(configuration: Configuration, results: list[Result]) -> Iterator[str]:
    """One line for each test that failed, with its file."""
    for index, result in enumerate(results):
        if not result.passed:
            yield from configuration.document.lines([Located(("tests", index), _words(result))])


def _words(result: Result) -> str:
    parts = []
    if result.missing:
        parts.append(f"{_named(result.missing)} did not run")
    if result.surplus:
        parts.append(f"{_named(result.surplus)} ran and was not expected")
    return " and ".join(parts)


def _named(routes: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, routes))
