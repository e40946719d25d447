"""Rules between the tables of a configuration: names given once, steps that exist."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker.handlers.built_in import BUILT_IN
from worker.problems import quoted, remedy
from worker.tables import Finding

_HANDLER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check_names(document: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the names of handlers and routes, and with the steps that use them.

    Works on the plain document, so that it can speak beside the findings about single values.
    """
    handlers = document.get("handlers")
    names = list(handlers) if isinstance(handlers, Mapping) else []
    for name in names:
        if not _HANDLER_NAME.fullmatch(name):
            words = "is no name for a handler; use up to 64 letters, digits, - and _"
            yield Finding(("handlers", name), words)
    routes = document.get("routes")
    first: dict[str, int] = {}
    for index, route in enumerate(routes if isinstance(routes, list) else []):
        if isinstance(route, Mapping):
            name = route.get("name")
            if isinstance(name, str) and first.setdefault(name.strip(), index) != index:
                other = f"is also the name of route number {first[name.strip()] + 1}"
                words = f"{quoted(name)} {other}; give each a name of its own"
                yield Finding(("routes", index, "name"), words)
            yield from _steps(route.get("steps"), ("routes", index, "steps"), names)


def _steps(steps: object, path: tuple[str | int, ...], handlers: list[str]) -> Iterator[Finding]:
    texts = steps if isinstance(steps, list) else []
    for index, step in enumerate(texts):
        if not isinstance(step, str):
            continue
        if step not in handlers and step not in BUILT_IN:
            words = f"{quoted(step)} is no handler; {remedy(step, [*handlers, *BUILT_IN])}"
            yield Finding((*path, index), words)
        elif step in texts[:index]:
            yield Finding((*path, index), f"{quoted(step)} is there twice; a step runs once")
