"""Why routes ran or not, for people and for programs."""

from collections.abc import Iterator
from typing import Any

from worker.durations import in_file
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
    if one.ran and one.route.once_per is not None:
        length = in_file(one.route.once_per)
        yield f"  once_per = {quoted(length)}: its steps run if it is the first of its sender"


def as_dict(one: ExplainedRoute) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "route": one.route.name,
        "takes": one.ran,
        "on": list(one.route.on),
        "is_on": one.is_on,
        "stopped_by": one.stopped_by,
        "once_per": one.route.once_per and in_file(one.route.once_per),
        "conditions": [_condition(condition) for condition in one.conditions],
    }


def _condition(one: Explained) -> dict[str, Any]:
    found: dict[str, Any] = {"condition": one.written, "holds": one.held, "had": one.had}
    return found | ({"inner": [_condition(inner) for inner in one.inner]} if one.inner else {})
