"""What deletes messages is refused unless they are archived first: told from the routes as written.

A deletion waits for every other delivery of what happened to its message, so it is enough that one
of them archives it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from worker.handlers.contract import Step
from worker.happenings import CREATED
from worker.problems import quoted
from worker.tables import Finding

# A route that has more than these may not be for every message.
_UNCONDITIONAL = {"name", "on", "steps", "then"}


def deleted_unkept(
    routes: Sequence[Mapping[str, Any]], kinds: Mapping[str, type[Step]]
) -> Iterator[Finding]:
    """Steps that delete a message which neither their route nor one for all messages archives."""
    general: set[str] = set()  # what of every message is archived so far in the file
    for route in routes:
        archives = any(kinds[step].archives for step in _steps(route, kinds))
        if archives and route.keys() <= _UNCONDITIONAL:
            general |= _words(route)
        if "then" in route:
            break  # what comes after it is not for every message
    for index, route in enumerate(routes):
        kept = False
        for step in _steps(route, kinds):
            kept = kept or kinds[step].archives
            if kinds[step].needs_archive and not (kept or _words(route) <= general):
                words = (
                    f"{quoted(step)} deletes messages that nothing has archived; put an archive "
                    "step before it in this route, or into a route without match"
                )
                position = route["steps"].index(step)
                yield Finding(("routes", index, "steps", position), words)


def _steps(route: Mapping[str, Any], kinds: Mapping[str, type[Step]]) -> list[str]:
    steps = route.get("steps")
    named = steps if isinstance(steps, list) else []
    return [step for step in named if isinstance(step, str) and step in kinds]


def _words(route: Mapping[str, Any]) -> set[str]:
    words = route.get("on", CREATED)
    named = words if isinstance(words, list) else [words]
    return {word.strip().casefold() for word in named if isinstance(word, str)}
