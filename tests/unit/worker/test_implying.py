"""What is said of routes without any message holds for every message."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.facts import Facts, Known
from worker.implying import Reasoning
from worker.routes import Route

MMS = {"id": "9", "type": "MmsAttachment", "contentType": "image/png"}


def terms(match: dict[str, Any]) -> Any:
    return Route.model_validate({"name": "r", "steps": ["s"], "match": match}).match.written


@pytest.mark.parametrize(
    "match",
    [
        {"type": "SMS", "pages": "> 3"},
        {"type": ["SMS", "Pager"], "duration": "> 3s"},
        {"type": "Fax", "text": "hello"},
        {"type": "Fax", "transcription": "hello"},
        {"type": "Fax", "vmTranscriptionStatus": "Completed"},
        {"pages": "< 1"},
        {"duration": "< 0s"},
        {"attachment": False, "contentType": "image/*"},
        {"attachment": False, "type": "MMS"},
        {"type": "MMS", "not": {"type": "SMS"}},
        {"type": "Fax", "not": {"type": ["SMS", "Fax"]}},
        {"direction": "Inbound", "not": {"direction": "In*"}},
        {"from": "(650) 555-0100", "not": {"from": ["*"]}},
        {"text": "very urgent", "not": {"text": "urgent"}},
        {"pages": "> 10", "not": {"pages": ">= 5"}},
        {"direction": "Inbound", "any": [{"direction": "Outbound"}, {"not": {"direction": "*"}}]},
        {"any": [{"type": "Fax"}], "not": {"any": [{"type": "Fax"}, {"type": "SMS"}]}},
    ],
    ids=str,
)
def test_conditions_that_exclude_each_other(match: dict[str, Any]) -> None:
    """It is said why no message can have them."""
    assert Reasoning().conflict(terms(match))


@pytest.mark.parametrize(
    "match",
    [
        {"type": ["SMS", "Fax"], "pages": "> 3"},
        {"type": "*", "pages": "> 3"},
        {"type": "SMS", "not": {"type": "MMS"}},
        {"from": "5550100", "not": {"from": "5550101"}},
        {"to": "5550100", "not": {"from": "5550100"}},
        {"from": "+16505550100", "any": [{"from": "Ann"}]},
        {"text": "urgent", "not": {"text": "very urgent"}},
        {"text": "/urgent/", "not": {"text": "/[u]rgent/"}},
        {"text": "a*c", "not": {"text": "a?c"}},
        {"contentType": "image/png", "not": {"contentType": "image/gif"}},
        {"direction": "Inbound", "any": [{"direction": "Outbound"}, {"type": "Fax"}]},
    ],
    ids=str,
)
def test_conditions_that_may_hold_together(match: dict[str, Any]) -> None:
    """Nothing is said of them."""
    assert Reasoning().conflict(terms(match)) is None


VALUES = {
    "type": ["SMS", "MMS", "Fax", "VoiceMail", "S*", "*", "?MS"],
    "direction": ["Inbound", "Outbound", "*bound", "/^in/"],
    "readStatus": ["Read", "Unread", "*read"],
    "from": ["+16505550100", "(650) 555-0100", "+1650*", "Ann", "A*"],
    "text": ["urgent", "very urgent", "*ver?", "/ur.ent/", "u?g*t"],
    "contentType": ["image/png", "image/*", "*"],
    "extension": ["101", "Desk", "1*"],
}
MEASURES = {"pages": ["< 1", "= 1", "<= 2", "> 1", ">= 3"], "duration": ["< 0s", "> 5s", "<= 5s"]}

texts = {
    key: st.fixed_dictionaries({key: st.lists(st.sampled_from(values), min_size=1, max_size=2)})
    for key, values in VALUES.items()
}
numbers = {
    key: st.fixed_dictionaries({key: st.sampled_from(values)}) for key, values in MEASURES.items()
}
files = st.fixed_dictionaries({"attachment": st.booleans()})
plain = st.lists(st.one_of(*texts.values(), *numbers.values(), files), min_size=1, max_size=3).map(
    lambda some: {key: value for one in some for key, value in one.items()}
)
matches = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds(lambda a, b: {**a, "not": b}, plain, inner),
        st.builds(lambda a, b: {**a, "any": b}, plain, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=4,
)
messages = st.builds(
    lambda type_, direction, read, sender, text, part, pages, seconds: Message.model_validate(
        {
            "id": 1,
            "type": type_,
            "direction": direction,
            "readStatus": read,
            "from": sender,
            "subject": text,
            "attachments": [
                *([MMS] if part and type_ == "SMS" else []),
                *([{"id": 2, "vmDuration": seconds}] if type_ == "VoiceMail" else []),
            ],
            **({"faxPageCount": pages} if type_ == "Fax" else {}),
        }
    ),
    st.sampled_from(["SMS", "Fax", "VoiceMail", "Other"]),
    st.sampled_from(["Inbound", "Outbound", None]),
    st.sampled_from(["Read", "Unread", None]),
    st.sampled_from([{"phoneNumber": "+16505550100", "name": "Ann"}, {"name": "Al"}, None]),
    st.sampled_from(["very urgent", "urgent", "ever", "ugly cat", ""]),
    st.booleans(),
    st.integers(0, 4),
    st.integers(0, 7),
)
some_messages = st.lists(messages, min_size=5, max_size=5)
KNOWN = Known("101", "Desk")


def holds(match: dict[str, Any], message: Message) -> bool:
    facts = Facts(message, Mailbox("1", "5"), KNOWN)
    return all(one.condition.holds(facts) for one in terms(match))


@settings(max_examples=150, deadline=None)
@given(matches, some_messages)
def test_no_message_has_what_is_said_to_be_in_conflict(match: Any, found: list[Message]) -> None:
    """Whatever the conditions and the messages are."""
    if Reasoning().conflict(terms(match)):
        assert not any(holds(match, message) for message in found)


@settings(max_examples=150, deadline=None)
@given(matches, matches, some_messages)
def test_every_message_has_what_is_said_to_be_implied(
    match: Any, goal: Any, found: list[Message]
) -> None:
    """Whatever the conditions and the messages are."""
    reasoning = Reasoning()
    if all(reasoning.implied(terms(match), one) for one in terms(goal)):
        assert all(holds(goal, message) for message in found if holds(match, message))


def test_endless_conditions_cost_little() -> None:
    """After very many comparisons nothing more is said."""
    deep: dict[str, Any] = {"any": [{"text": f"a{n}*b"} for n in range(300)]}
    match = {"any": [{"text": f"c{n}", "any": deep["any"]} for n in range(30)], "not": deep}
    written, begun = terms(match), time.process_time()
    assert Reasoning().conflict(written) is None
    assert time.process_time() - begun < 5
