"""Which routes run for a message."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.explaining import explain_all
from worker.facts import Facts
from worker.hours import OfficeHours
from worker.matches import Match, all_hold
from worker.named import Named
from worker.routes import Route, RouteSearch, matching

MAILBOX = Mailbox("400", "101")
SMS = {
    "id": 1,
    "type": "SMS",
    "direction": "Inbound",
    "from": {"phoneNumber": "+16505550100", "name": "Anna Berg", "extensionNumber": "101"},
    "to": [{"phoneNumber": "+16505550101"}, {"extensionNumber": "202", "name": "Front desk"}],
    "subject": "Hello,\nthis is URGENT",
    "readStatus": "Unread",
    "messageStatus": "Received",
    "owner": {"extensionId": 4711, "extensionType": "Department", "name": "Sales queue"},
}


def route(name: str = "x", **match: Any) -> Route:
    match = {key.rstrip("_"): value for key, value in match.items()}
    return Route.model_validate({"name": name, "match": match, "steps": ["step"]})


def runs(match: dict[str, Any], message: dict[str, Any] = SMS) -> bool:
    found = matching([route(**match)], Message.model_validate(message), MAILBOX)
    return bool(found)


def test_every_route_that_matches_runs() -> None:
    """All matching routes are found, in the order of the file."""
    routes = [route("a"), route("b", type="Fax"), route("c", type="SMS"), route("d")]
    found = matching(routes, Message.model_validate(SMS), MAILBOX)
    assert [one.name for one in found] == ["a", "c", "d"]


@pytest.mark.parametrize(
    "match",
    [
        {"type": "sms"},
        {"type": ["Fax", "SMS"]},
        {"type": "S*"},
        {"direction": "INBOUND"},
        {"from": "650-555-0100"},
        {"from": "+1 (650) 555-0100"},
        {"from": "101"},
        {"from": "anna berg"},
        {"from": "+1650*"},
        {"from": "+1.650.555.????"},
        {"from": "*0100"},
        {"from": ["+14155550100", "6505550100"]},
        {"to": "6505550101"},
        {"to": "202"},
        {"to": "front*"},
        {"extension": "101"},
        {"extension": "1??"},
        {"owner": "4711"},
        {"owner": "sales*"},
        {"text": "urgent"},
        {"text": "hello, this"},
        {"text": "hello*urgent"},
        {"text": "*THIS*"},
        {"text": "*"},
        {"readStatus": "Unread"},
        {"messageStatus": ["Queued", "Received"]},
        {"type": "SMS", "direction": "Inbound", "text": "urgent"},
    ],
)
def test_it_runs(match: dict[str, Any]) -> None:
    """These conditions hold for a text message."""
    assert runs(match)


@pytest.mark.parametrize(
    "match",
    [
        {"type": "Fax"},
        {"type": "MMS"},
        {"type": "?S"},
        {"direction": "Outbound"},
        {"from": "6505550101"},
        {"from": "10"},
        {"from": "anna"},
        {"from": "650*"},
        {"to": "6505550100"},
        {"extension": "10"},
        {"extension": "400"},
        {"owner": "sales"},
        {"owner": "Department"},
        {"text": "urgent!"},
        {"text": "urgent*"},
        {"text": "*hello"},
        {"readStatus": "Read"},
        {"messageStatus": "*Failed"},
        {"type": "SMS", "direction": "Outbound"},
        {"type": "Fax", "text": "urgent"},
    ],
)
def test_it_does_not_run(match: dict[str, Any]) -> None:
    """These conditions do not hold for it."""
    assert not runs(match)


def test_sms_matches_mms_and_mms_only_mms() -> None:
    """An MMS is what RingCentral calls an SMS with attachments of its own kind."""
    mms = {**SMS, "attachments": [{"id": 1, "type": "MmsAttachment"}]}
    assert runs({"type": "SMS"}, mms)
    assert runs({"type": "MMS"}, mms)
    assert not runs({"type": "MMS"}, SMS)


@pytest.mark.parametrize("written", ["Voicemail", "VoiceMail", "VOICEMAIL"])
def test_voicemail_is_spelled_either_way(written: str) -> None:
    """Voicemail and VoiceMail are the same."""
    assert runs({"type": written}, {"id": 1, "type": "VoiceMail"})
    assert runs({"type": written}, {"id": 1, "type": "Voicemail"})


def test_an_inbound_fax_without_recipients_has_the_called_number_in_its_subject() -> None:
    """`to` holds for the number in `subject` of a fax that names no recipient."""
    fax = {"id": 1, "type": "Fax", "direction": "Inbound", "subject": "(650) 555-0100"}
    assert runs({"to": "+16505550100"}, fax)
    assert not runs({"to": "+16505550100"}, {**fax, "to": [{"phoneNumber": "+16505550101"}]})
    assert not runs({"to": "+16505550100"}, {**SMS, "to": [], "subject": "6505550100"})


@pytest.mark.parametrize(
    "key", ["from", "to", "owner", "text", "readStatus", "messageStatus", "type"]
)
def test_what_is_absent_matches_nothing(key: str) -> None:
    """No condition holds for a field that the message lacks, not even `*`."""
    assert not runs({key: "*"}, {"id": 1})


def test_regular_expressions_are_plain_text() -> None:
    """Only `*` and `?` are special."""
    assert runs({"text": "1.5 [x] (y) a|b"}, {**SMS, "subject": "costs 1.5 [x] (y) a|b"})
    assert not runs({"text": "1.5*"}, {**SMS, "subject": "1x5"})
    assert not runs({"text": ["a*|b*"]}, {**SMS, "subject": "b"})


@given(
    st.lists(st.text("ab?", max_size=3), min_size=1, max_size=5).map("*".join),
    st.text("ab", max_size=8),
)
def test_wildcards_mean_what_they_always_mean(pattern: str, text: str) -> None:
    """The atomic search finds a match exactly when trying everything would."""

    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return fits(pattern[1:], text) or (bool(text) and fits(pattern, text[1:]))
        return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])

    if "*" in pattern or "?" in pattern:
        message = {"id": 1, "from": {"name": "x" + text}}
        assert runs({"from": "x" + pattern}, message) is fits(pattern, text)


def test_a_hostile_text_costs_no_time() -> None:
    """Many wildcards over a long text that nearly fits end at once."""
    started = time.process_time()
    assert not runs({"text": "*a" * 20 + "*b"}, {**SMS, "subject": "a" * 20_000})
    assert time.process_time() - started < 1


def test_conditions_are_compiled_when_the_file_is_read() -> None:
    """The conditions are there before the first message, and the same objects after."""
    match = Match.model_validate({"type": "Fax"})
    (condition,) = match.conditions
    assert match.conditions[0] is condition


def test_a_hundred_routes_are_quick() -> None:
    """A message finds its way through 100 routes in well under a millisecond."""
    routes = [
        route(str(n), type="SMS", from_=[f"+1650555{n:04d}", "+1415*"], text="urgent")
        for n in range(100)
    ]
    search, message = RouteSearch(routes), Message.model_validate(SMS)
    started = time.process_time()
    for _ in range(50):
        search.running(Facts(message, MAILBOX), "created")
    assert (time.process_time() - started) / 50 < 0.001


def test_a_route_is_on_what_it_says() -> None:
    """For each thing that happened there are those routes that are on it and match; no others."""
    routes = [
        Route.model_validate({"name": "new", "steps": ["x"]}),
        Route.model_validate({"name": "both", "on": ["created", "Read"], "steps": ["x"]}),
        Route.model_validate({"name": "one", "on": "read", "steps": ["x"]}),
        Route.model_validate(
            {"name": "fax", "on": "read", "match": {"type": "Fax"}, "steps": ["x"]}
        ),
    ]
    message = Message.model_validate(SMS)
    assert RouteSearch(routes).by_word(message, MAILBOX, ("created", "read", "deleted")) == {
        "created": ["new", "both"],
        "read": ["both", "one"],
        "deleted": [],
    }


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({}, True),
        ({"match": {"extension": "101"}}, True),
        ({"match": {"not": {"extension": "101"}}}, False),
        ({"match": {"not": {"type": "Fax"}}}, False),
        ({"match": {"any": [{"not": {"from": "+16505550100"}}]}}, False),
        ({"match": {"attachment": False}}, False),
        ({"if": "message.type != 'Fax'"}, False),
    ],
)
def test_a_purged_message_proves_nothing(fields: dict[str, Any], is_told: bool) -> None:
    """Of one that is known by its id alone nobody can say that it was no fax."""
    purged = Facts(Message.model_validate({"id": 1, "availability": "Purged"}), MAILBOX)
    routes = [made("x", on="deleted", **fields)]
    assert bool(RouteSearch(routes).running(purged, "deleted")) is is_told
    [explained] = explain_all(routes, purged, "deleted")
    assert explained.ran is is_told


def names(routes: list[Route], on: str = "created", **message: Any) -> list[str]:
    facts = Facts(Message.model_validate({**SMS, **message}), MAILBOX)
    return [one.name for one in RouteSearch(routes).running(facts, on)]


def made(name: str, **fields: Any) -> Route:
    return Route.model_validate({"name": name, "steps": ["step"], **fields})


def test_a_route_may_stop_the_search() -> None:
    """Of those below one that stops and matches none runs; without a match it stops nothing."""
    routes = [
        made("faxes", match={"type": "Fax"}, then="stop"),
        made("first"),
        made("urgent", match={"text": "urgent"}, then="stop"),
        made("last"),
    ]
    assert names(routes) == ["first", "urgent"]
    assert names(routes, subject="no hurry") == ["first", "last"]
    assert names(routes, type="Fax") == ["faxes"]


def test_a_stop_is_for_what_the_route_is_on() -> None:
    """A route that stops for new messages does not stop for those that are read."""
    routes = [
        made("new", then="stop"),
        made("read", on="read"),
        made("both", on=["created", "read"]),
    ]
    message = Message.model_validate(SMS)
    assert RouteSearch(routes).by_word(message, MAILBOX, ("created", "read")) == {
        "created": ["new"],
        "read": ["read", "both"],
    }


def test_kinds_without_end_cost_no_memory() -> None:
    """Types come from outside: what is kept of them has a bound, and each is looked at anew."""
    search = RouteSearch([made("x", match={"type": "Type 7*"}), made("all")])
    for number in range(1000):
        facts = Facts(Message.model_validate({"id": 1, "type": f"Type {number}"}), MAILBOX)
        found = [one.name for one in search.running(facts, "created")]
        assert found == (["x", "all"] if str(number).startswith("7") else ["all"])
    assert len(search._in_question) <= 200


def test_the_time_that_counts() -> None:
    """Hours are those of the creation, or of what happened later, and never of the look at it."""
    hours = {"office": OfficeHours(zone="UTC", open=("Mon-Sun 09:00-17:00",))}
    named = Named(hours=hours, hour_names={"office"})
    match = {"hours": "office"}
    route = {"name": "x", "on": ["created", "read"], "match": match, "steps": ["y"]}
    search = RouteSearch([Route.model_validate(route, context=named)])
    message = Message.model_validate({**SMS, "creationTime": "2026-11-25T03:00:00Z"})
    read_at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    found = search.by_word(message, MAILBOX, ("created", "read"), at=read_at)
    assert found == {"created": [], "read": ["x"]}


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ({"not": {"type": "SMS", "text": "urgent"}}, False),
        ({"not": {"type": "SMS", "text": "calm"}}, True),
        ({"not": {"not": {"type": "SMS"}}}, True),
        ({"any": [{"type": "Fax"}, {"type": "SMS", "not": {"text": "calm"}}]}, True),
        ({"any": [{"type": "Fax"}, {"type": "SMS", "text": "calm"}]}, False),
        ({"not": {"any": [{"type": "Fax"}, {"from": "101"}]}}, False),
        ({"type": "SMS", "any": [{"text": "calm"}, {"text": "hello"}], "not": {"to": "999"}}, True),
    ],
)
def test_sets_in_one_another(match: dict[str, Any], holds: bool) -> None:
    """`not` is that the set does not hold, `any` that one of the sets holds."""
    assert runs(match) is holds


@pytest.mark.parametrize("regex", ["(a+)+$", "(a|a)*b", "(.*a){25}b", "a{1,500}b"])
def test_a_hostile_text_costs_no_time_with_a_regex(regex: str) -> None:
    """The search is linear in the text."""
    condition = Match.model_validate({"text": f"/{regex}/"})
    message = Message.model_validate({**SMS, "subject": "a" * 50_000 + "c"})
    started = time.process_time()
    all_hold(condition.conditions, Facts(message, MAILBOX))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("wait", "status", "age", "left"),
    [
        ("4m", "InProgress", 60, 180),
        ("4m", "InProgress", 241, None),
        ("4m", "InProgress", -30, 240),  # RingCentral's clock is ahead
        ("4m", "Completed", 60, None),
        ("4m", "NotAvailable", 60, None),
        ("4m", None, 60, None),
        (None, "InProgress", 60, None),
    ],
)
def test_waiting_for_a_transcription(
    wait: str | None, status: str | None, age: int, left: int | None
) -> None:
    """Until it is there or known not to come, and no longer than the route says."""
    route = made("x", **({"wait": {"transcript": wait}} if wait else {}))
    created = datetime(2026, 11, 25, 10, tzinfo=UTC)
    voicemail = {"id": 1, "type": "VoiceMail", "vmTranscriptionStatus": status}
    message = Message.model_validate({**voicemail, "creationTime": created.isoformat()})
    waits = route.waits(message, created + timedelta(seconds=age))
    assert (waits and waits.total_seconds()) == left


def sets_of(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        inner,
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda some: {"any": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one, other: {**one, "not": other}, inner, inner),
    )


CONDITIONS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "Fax"},
        {"type": ["SMS", "Fax"]},
        {"direction": "Inbound"},
        {"direction": "Out*", "type": "SMS"},
        {"from": "101"},
        {"pages": ">= 2", "type": "Fax"},
    ]
)


@given(
    sets_of(sets_of(sets_of(CONDITIONS))),
    st.sampled_from(["SMS", "Fax", None]),
    st.sampled_from(["Inbound", "Outbound", None]),
    st.sampled_from(["101", "102"]),
    st.integers(1, 3),
)
def test_sorting_by_kind_changes_nothing(
    match: dict[str, Any], kind: str | None, direction: str | None, sender: str, pages: int
) -> None:
    """What is decided by type and direction beforehand is what asking every condition says."""
    message = {"id": 1, "type": kind, "direction": direction, "faxPageCount": pages}
    facts = Facts(Message.model_validate({**message, "from": {"extensionNumber": sender}}), MAILBOX)
    route = Route.model_validate({"name": "x", "match": match, "steps": ["y"]})
    ran = RouteSearch([route]).running(facts, "created")
    assert bool(ran) is all_hold(route.conditions, facts)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Müller", "Mu\u0308LLER"),
        ("Mu\u0308ller", "müller"),
        ("can't come", "I can\u2019t come"),
        ("\u201curgent\u201d*", '"Urgent" it is'),
        ("STRASSE", "Straße"),
    ],
)
def test_letters_and_quotes_however_a_phone_writes_them(written: str, said: str) -> None:
    """Composed or not, curly or straight, large or small."""
    route = Route.model_validate({"name": "r", "match": {"text": written}, "steps": ["archive"]})
    message = Message.model_validate({"id": 1, "type": "SMS", "subject": said})
    assert matching([route], message, Mailbox("1", "2")) == [route]
