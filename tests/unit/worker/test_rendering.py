"""Routes that ask for the pages of a fax run once they are known, and no route runs twice."""

from typing import Any

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import Known
from worker.happenings import State
from worker.rendering import by_pages, is_rendered
from worker.routes import Route, RouteSearch

MAILBOX = Mailbox("1", "2")


def fax(**fields: Any) -> Message:
    wire = {"id": 1, "type": "Fax", "creationTime": "2026-11-23T14:17:08Z", **fields}
    return Message.model_validate(wire)


def search(**conditions: Any) -> RouteSearch:
    return RouteSearch([Route.model_validate({"name": "r", "steps": ["archive"], **conditions})])


@pytest.mark.parametrize(
    ("conditions", "runs"),
    [
        ({"match": {"pages": ">= 10"}}, True),
        ({"match": {"pages": "< 10"}}, False),
        ({"match": {"any": [{"type": "SMS"}, {"pages": "> 1"}]}}, True),
        ({"if": "message.pages > 10"}, True),
        ({"on": "read", "match": {"pages": ">= 10"}}, False),
        # these ran when it came
        ({}, False),
        ({"match": {"not": {"pages": "< 10"}}}, False),
        ({"match": {"any": [{"readStatus": "Unread"}, {"pages": "> 1"}]}}, False),
        ({"match": {"readStatus": "Read"}}, False),
    ],
)
def test_what_runs_when_the_pages_are_known(conditions: dict[str, Any], runs: bool) -> None:
    """What holds because of the pages, and did not hold without them."""
    before = State.of(fax(faxPageCount=0, readStatus="Unread"))
    now = fax(faxPageCount=12, readStatus="Read")
    assert is_rendered(before, State.of(now, before))
    late = by_pages(search(**conditions), now, MAILBOX, Known(), before)
    assert late == (["r"] if runs else [])


def test_what_is_not_rendered_now() -> None:
    """A fax that is first seen with its pages, or known with them, or still without."""
    known = State.of(fax(faxPageCount=3))
    assert not is_rendered(None, known)
    assert not is_rendered(known, State.of(fax(faxPageCount=3, readStatus="Read"), known))
    assert not is_rendered(known, State.of(fax(), known))  # unknown again is nothing new
    again = State.of(fax(faxPageCount=0), known)
    assert not is_rendered(again, State.of(fax(faxPageCount=3), again))
    unknown = State.of(fax())
    assert not is_rendered(unknown, State.of(fax(readStatus="Read"), unknown))
