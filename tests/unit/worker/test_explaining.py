"""Why a route took a message or not."""

from typing import Any

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.explaining import explain, explain_all, in_lines
from worker.facts import Facts
from worker.routes import Route, RouteSearch

FAX = Message.model_validate(
    {"id": 1, "type": "Fax", "from": {"phoneNumber": "(650) 555-0100"}, "faxPageCount": 3}
)


def facts() -> Facts:
    return Facts(FAX, Mailbox("400", "101"))


def route(name: str, **fields: Any) -> Route:
    return Route.model_validate({"name": name, "steps": ["step"], **fields})


def test_condition_by_condition() -> None:
    """Each is there as written, in its order, with what the message has, sets with their own."""
    match = {
        "from": ["+1415*", "101"],
        "pages": ">= 3",
        "any": [{"type": "SMS"}, {"type": "Fax", "text": "x"}],
        "not": {"extension": "101"},
    }
    explained = explain(route("x", match=match, **{"if": "message.to[0].name == ''"}), facts())
    assert in_lines(explained) == [
        'match.from = ["+1415*", "101"]: does not hold  (message: +16505550100)',
        'match.pages = ">= 3": holds  (message: 3)',
        'match.any = [{type = "SMS"}, {type = "Fax", text = "x"}]: does not hold',
        "  these: does not hold",
        '    match.type = "SMS": does not hold  (message: Fax)',
        "  these: does not hold",
        '    match.type = "Fax": holds  (message: Fax)',
        '    match.text = "x": does not hold',
        'match.not = {extension = "101"}: does not hold',
        '  match.extension = "101": holds  (message: 101)',
        "if = \"message.to[0].name == ''\": does not hold  (message: Index error: index=0 size=0)",
    ]


def test_routes_that_are_stopped_or_on_something_else() -> None:
    """A route behind one that stops does not run, nor one that is on something else."""
    routes = [
        route("read", on="read"),
        route("faxes", match={"type": "Fax"}, then="stop"),
        route("all"),
    ]
    explained = explain_all(routes, facts(), "created")
    assert [(one.ran, one.is_on, one.stopped_by) for one in explained] == [
        (False, False, None),
        (True, True, None),
        (False, True, "faxes"),
    ]
    found = RouteSearch(routes).running(facts(), "created")
    assert [one.name for one in found] == [one.route.name for one in explained if one.ran]
