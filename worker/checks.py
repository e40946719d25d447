"""Rules between the tables of a configuration: names given once, steps and routes that exist."""

import re
from collections.abc import Iterator, Mapping

from worker.document import Document
from worker.handlers.built_in import BUILT_IN
from worker.problems import quoted, remedy
from worker.tables import Finding

_HANDLER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_names(document: Document) -> Iterator[Finding]:
    """What is wrong with the names of handlers and routes, and with what uses them.

    Works on the plain document, so that it can speak beside the findings about single values.
    """
    handlers = document.values.get("handlers")
    names = list(handlers) if isinstance(handlers, Mapping) else []
    for name in names:
        if not _HANDLER_NAME.fullmatch(name):
            words = "is no name for a handler; use up to 64 letters, digits, - and _"
            yield Finding(("handlers", name), words)
    yield from _route_names(document)
    yield from _steps(document, names)
    yield from _expectations(document)


def _route_names(document: Document) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, route in enumerate(document.routes()):
        name = route.get("name")
        if isinstance(name, str) and first.setdefault(name.strip(), index) != index:
            path = ("routes", index, "name")
            number = document.called(("routes", first[name.strip()]), path)
            other = f"is also the name of {number}"
            words = f"{document.shown(path)} {other}; give each a name of its own"
            yield Finding(path, words)


def _steps(document: Document, handlers: list[str]) -> Iterator[Finding]:
    for index, steps in enumerate(document.steps()):
        for position, step in enumerate(steps):
            path = ("routes", index, "steps", position)
            if not isinstance(step, str):
                continue  # found by the model
            if step not in handlers and step not in BUILT_IN:
                words = f"is no handler; {remedy(step, [*handlers, *BUILT_IN])}"
                yield Finding(path, f"{document.shown(path)} {words}")
            elif step in steps[:position]:
                yield Finding(path, f"{quoted(step)} is there twice; a step runs once")


def _expectations(document: Document) -> Iterator[Finding]:
    routes = {str(route.get("name")).strip() for route in document.routes()}
    for index, test in enumerate(document.tables("tests")):
        expected = test.get("expect")
        for position, name in enumerate(expected if isinstance(expected, list) else []):
            if isinstance(name, str) and name.strip() not in routes:
                path = ("tests", index, "expect", position)
                words = f"{document.shown(path)} is no route; {remedy(name, sorted(routes))}"
                yield Finding(path, words)
