"""Why a route took a message or not, condition by condition. Pure."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from worker.facts import Facts
from worker.matches import AnyOf, Match, NoneOf, all_hold
from worker.routes import STOP, Route


class Explained(NamedTuple):
    """One condition: as written, whether it held, and what the message had that it asks about.

    `had` is empty where there was nothing; of an expression it says why it cannot be evaluated, if
    so. `inner` are the conditions of a `not`, and the sets of
    an `any`, which are `written` as an empty text and have their conditions in turn.
    """

    written: str
    held: bool
    had: str
    inner: tuple["Explained", ...] = ()


class ExplainedRoute(NamedTuple):
    """One route: whether it ran, and if not although its conditions hold, what kept it from that.

    `stopped_by` is an earlier route with `then = "stop"`, `is_on` whether it is on what happened.
    """

    route: Route
    is_on: bool
    stopped_by: str | None
    conditions: tuple[Explained, ...]

    @property
    def ran(self) -> bool:
        """Whether it is one of the routes that run."""
        held = all(condition.held for condition in self.conditions)
        return self.is_on and self.stopped_by is None and held


def explain(route: Route, facts: Facts) -> tuple[Explained, ...]:
    """Every condition of a route, in the order of the file; none at all holds for every message."""
    explained = _match(route.match, facts)
    if (expression := route.expression) is not None:
        written = f"if = {json.dumps(expression.text, ensure_ascii=False)}"
        one = Explained(written, expression.answer(facts) is True, expression.had(facts))
        explained = (*explained, one)
    if not route.can_tell(facts):
        written = "conditions on a message of which nothing is left"
        explained = (*explained, Explained(written, False, ""))
    return explained


def explain_all(routes: Iterable[Route], facts: Facts, on: str) -> list[ExplainedRoute]:
    """Every route, for what happened (one of the words of `on`)."""
    explained: list[ExplainedRoute] = []
    stopped_by: str | None = None
    for route in routes:
        one = ExplainedRoute(route, on in route.on, stopped_by, explain(route, facts))
        explained.append(one)
        if one.ran and route.then == STOP:
            stopped_by = route.name
    return explained


def _match(match: Match, facts: Facts) -> tuple[Explained, ...]:
    return tuple(
        Explained(
            str(one),
            one.condition.holds(facts),
            one.condition.had(facts),
            _inner(one.condition, facts),
        )
        for one in match.written
    )


def _inner(condition: object, facts: Facts) -> tuple[Explained, ...]:
    if isinstance(condition, NoneOf):
        return _match(condition.match, facts)
    if isinstance(condition, AnyOf):
        return tuple(_set(match, facts) for match in condition.matches)
    return ()


def _set(match: Match, facts: Facts) -> Explained:
    return Explained("", all_hold(match.conditions, facts), "", _match(match, facts))


def in_lines(explained: Sequence[Explained], indent: str = "") -> list[str]:
    """The conditions for a terminal, one a line, those within others indented."""
    lines = []
    for one in explained:
        had = f"  (message: {one.had})" if one.had else ""
        held = "holds" if one.held else "does not hold"
        lines.append(f"{indent}{one.written or 'these'}: {held}{had}")
        lines += in_lines(one.inner, indent + "  ")
    return lines
