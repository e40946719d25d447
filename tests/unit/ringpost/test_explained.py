"""What `ringpost routes explain` says of a route."""

from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.explained import as_dict, lines
from worker.explaining import ExplainedRoute, explain_all
from worker.facts import Facts
from worker.routes import Route


def explained(message_type: str) -> ExplainedRoute:
    route = Route.model_validate(
        {"name": "a note", "match": {"type": "SMS"}, "once_per": "1d", "steps": ["archive"]}
    )
    message = Message.model_validate({"id": 1, "type": message_type})
    [one] = explain_all([route], Facts(message, Mailbox("1", "2")), "created")
    return one


def test_a_route_may_take_a_message_and_not_run_its_steps() -> None:
    """With `once_per` it depends on what came before, which is said where conditions hold."""
    assert list(lines(explained("SMS"))) == [
        '"a note" takes it',
        '  match.type = "SMS": holds  (message: SMS)',
        '  once_per = "1d": its steps run if it is the first of its sender',
    ]
    assert len(list(lines(explained("Fax")))) == 2
    assert as_dict(explained("Fax"))["once_per"] == "1d"
