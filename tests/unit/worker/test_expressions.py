"""Expressions of `if`: what they see, and that nothing in a message can hurt."""

import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.expressions import Expression
from worker.facts import Facts, Known
from worker.problems import Wrong

MAILBOX = Mailbox("400", "101")


def facts(**fields: Any) -> Facts:
    message = {key.rstrip("_"): value for key, value in fields.items()}
    known = Known("7", "Front desk", "Call me back")
    return Facts(Message.model_validate({"id": "1", **message}), MAILBOX, known)


@pytest.mark.parametrize(
    "text",
    [
        "message.type == 'MMS' && size(message.attachments) == 1",
        "message.attachments[0].contentType == 'image/png' && message.attachments[0].size > 10",
        "message.from.phoneNumber.startsWith('+1650') && message.from.name == ''",
        "message.to.exists(one, one.extensionNumber == '202')",
        "message.text.contains('€') && message.text.matches('^.+ [0-9]+$')",
        "message.transcription == 'Call me back'",
        "extension.number == '7' && extension.name == 'Front desk' && extension.id == '101'",
        "message.created < timestamp('2026-01-01T00:00:00Z') && at == message.created",
        "message.pages == 0 && message.duration == 0 && message.conversation == '7'",
    ],
)
def test_what_is_seen(text: str) -> None:
    """The fields of a message, what is known beside it, and nothing as empty."""
    one = facts(
        type="SMS",
        from_={"phoneNumber": "+16505550100"},
        to=[{"extensionNumber": 202}],
        subject="costs € 10",
        conversation={"id": "7"},
        creationTime="2025-12-31T10:00:00Z",
        attachments=[{"id": 1, "type": "MmsAttachment", "contentType": "image/png", "size": 11}],
    )
    assert Expression(text).holds(one)


def test_one_that_fails_does_not_hold_and_is_told_once() -> None:
    """It is counted for each message and logged for the first, without what the message says."""
    expression = Expression("int(message.text) > 3")
    secret = facts(type="SMS", subject="secret words")
    with capture_logs() as logs:
        assert not expression.holds(secret)
        assert not expression.holds(secret)
    assert expression.failed == 2
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert "secret" not in str(logs)
    assert "cannot convert" in expression.had(secret)
    assert expression.holds(facts(type="SMS", subject="4"))


@pytest.mark.parametrize(
    "text",
    [
        "message.text.matches('(a+)+$')",
        "message.text.matches('(.*a){20}b')",
        "message.to.all(a, message.to.all(b, message.to.all(c, message.to.all(d, true))))",
        "message.text + message.text + message.text == ''",
    ],
)
def test_a_hostile_message_costs_no_time(text: str) -> None:
    """Long texts and many recipients end at once, whatever the expression does with them."""
    one = facts(type="SMS", subject="a" * 100_000, to=[{"name": "x" * 100}] * 5000)
    started = time.process_time()
    Expression(text).holds(one)
    assert time.process_time() - started < 1


def test_half_a_character_is_no_error_that_ends_anything() -> None:
    """A text that is not Unicode does not hold."""
    assert not Expression("message.text == 'x'").holds(facts(type="SMS", subject="\ud800"))


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "true" + ")" * 5000, "x" * 3000, "!" * 1999 + "true"]
)
def test_a_hostile_expression_is_refused(text: str) -> None:
    """One that is too deep or too long is an error of the file, and no crash."""
    with pytest.raises(Wrong):
        Expression(text)
