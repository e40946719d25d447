"""Why routes ran or not, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from worker.explaining import Explained, ExplainedRoute, in_lines
from worker.problems import quoted


def verdict(one: ExplainedRoute) -> str:
    """Whether a route takes the message, and if its conditions do not say why not, what does."""
    if one.ran:
        return "takes it"
    if not one.is_on:
        return f"is for other occasions ({', '.join(one.route.on)})"
    if one.stopped_by is not None:
        return f"is not looked at: {quoted(one.stopped_by)} ended the search"
    return "does not take it"


def lines(one: ExplainedRoute) -> Iterator[str]:
    """A route with its conditions, one a line."""
    yield f"{quoted(one.route.name)} {verdict(one)}"
    if not one.conditions:
        yield "  no conditions: for every message"
    yield from in_lines(one.conditions, "  ")


def as_dict(one: ExplainedRoute) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "route": one.route.name,
        "takes": one.ran,
        "on": list(one.route.on),
        "is_on": one.is_on,
        "stopped_by": one.stopped_by,
        "conditions": [_condition(condition) for condition in one.conditions],
    }


def _condition(one: Explained) -> dict[str, Any]:
    found: dict[str, Any] = {"condition": one.written, "holds": one.held, "had": one.had}
    return found | ({"inner": [_condition(inner) for inner in one.inner]} if one.inner else {})
