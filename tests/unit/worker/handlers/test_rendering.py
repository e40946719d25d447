"""Templates: the spelling of fields, absent fields, bounds and the sandbox."""

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.handlers.contract import PermanentError
from worker.handlers.rendering import check_template, render

MESSAGE = Message.model_validate(
    {
        "id": 1,
        "type": "Fax",
        "from": {"name": "Jane", "phoneNumber": "+16505550100"},
        "readStatus": "Unread",
        "coverPageText": "for you",
        "subject": None,
    }
)
VALUES = {"message": MESSAGE, "mailbox": Mailbox("1", "2"), "route": "r"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ message.type }} from {{ message.sender }}", "Fax from Jane (+16505550100)"),
        ("{{ message.readStatus }} {{ message.read_status }}", "Unread Unread"),
        ("{{ message.from.phoneNumber }}", "+16505550100"),
        ("{{ message.coverPageText }}", "for you"),
        ("[{{ message.subject }}{{ message.to[0].name.x }}{{ message.unheardOf }}]", "[]"),
        ("{{ mailbox }} {{ mailbox.extension_id }} {{ route }}", "1/2 2 r"),
        ("{{ '<b>' }}", "<b>"),
    ],
)
def test_render(template: str, text: str) -> None:
    """Fields are found in RingCentral's spelling and ours; what is absent is empty."""
    assert render(template, VALUES) == text


def test_bounds() -> None:
    """A result that grows without end is cut off as an error."""
    with pytest.raises(PermanentError, match="result is longer than 262144 letters"):
        render("{% for i in range(999) %}" + "x" * 999 + "{% endfor %}", VALUES)


def test_the_sandbox() -> None:
    """A template gets at nothing behind the values: it finds nothing there, or fails."""
    assert render("{{ ''.__class__.__mro__ }}{{ message.__init__.__globals__ }}", VALUES) == ""
    with pytest.raises(PermanentError, match="SecurityError"):
        render("{{ ''.__class__.__subclasses__() }}", VALUES)


def test_failures_are_permanent() -> None:
    """What breaks is one clean error without the message's text."""
    with pytest.raises(PermanentError, match="a template failed: ZeroDivisionError"):
        render("{{ 1 / 0 }}", VALUES)


def test_what_a_stranger_writes_is_no_template() -> None:
    """Braces in a message's text stay braces."""
    hostile = Message.model_validate({"id": 1, "type": "SMS", "subject": "{{ 7*7 }}"})
    assert render("{{ message.text }}", {"message": hostile}) == "{{ 7*7 }}"


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ mesage.type }}", "unknown name 'mesage' in the template; did you mean 'message'?"),
        ("{{ zzz }}", "there are message, mailbox, route"),
        ("{{ message.type", "not a template"),
        ("{{ message.type | shout }}", "not a template: No filter named 'shout'."),
    ],
)
def test_checked_at_start(template: str, words: str) -> None:
    """A template that cannot work is found before the first message."""
    with pytest.raises(ValueError, match="template") as error:
        check_template(template)
    assert words in str(error.value)
