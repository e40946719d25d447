"""Which archives should hold a message, as far as that can be told later."""

from pathlib import Path
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.completeness.archives import Archiving, archives_in
from worker.facts import Known
from worker.handlers.archive import Archive
from worker.routes import Route

MAILBOX = Mailbox("1", "2")
FAX = Message.model_validate(
    {"id": 1, "type": "Fax", "creationTime": "2026-11-25T12:00:00Z", "readStatus": "Read"}
)
ALL = {"name": "all", "steps": ["vault"]}


def archiving(*routes: dict[str, Any]) -> Archiving:
    return Archiving(map(Route.model_validate, routes), ["vault", "other"])


def test_every_archive_with_the_routes_that_bring_it_there() -> None:
    """Steps that are no archives, and routes on other occasions, do not count."""
    both = {"name": "both", "match": {"type": "Fax"}, "steps": ["mail", "other", "vault"]}
    read = {"name": "read", "on": ["read"], "steps": ["vault"]}
    found = archiving(ALL, both, read).of(FAX, MAILBOX)
    assert found == {"vault": {"all", "both"}, "other": {"both"}}


@pytest.mark.parametrize(
    "uncertain",
    [
        {"match": {"readStatus": "Read"}},
        {"match": {"not": {"messageStatus": "Sent"}}},
        {"match": {"any": [{"type": "Fax", "pages": ">2"}]}},
        {"match": {"not": {"transcription": "urgent"}}},
        {"match": {"not": {"vmTranscriptionStatus": "Failed"}}},
        {"if": 'message.readStatus == "Read"'},
        {"once_per": "1d"},
    ],
    ids=str,
)
def test_what_nobody_can_tell_later_is_not_asked_for(uncertain: dict[str, Any]) -> None:
    """Conditions on what changes, wherever they stand, and routes that run once per sender."""
    assert archiving({**ALL, **uncertain}).of(FAX, MAILBOX) == {}


def test_nothing_is_certain_after_a_route_that_may_have_ended_the_search() -> None:
    """One that certainly ended it does so here as well, and one that did not come does not."""
    stop = {"name": "stop", "steps": ["other"], "then": "stop"}
    assert archiving({**stop, "match": {"readStatus": "Unread"}}, ALL).of(FAX, MAILBOX) == {}
    assert archiving(stop, ALL).of(FAX, MAILBOX) == {"other": {"stop"}}
    assert archiving({**stop, "match": {"type": "SMS"}}, ALL).of(FAX, MAILBOX) == {"vault": {"all"}}


def test_names_of_extensions_count() -> None:
    """As they were when mailboxes were last listed."""
    desk = archiving({**ALL, "match": {"extension": "Front Desk"}})
    assert desk.of(FAX, MAILBOX, Known("101", "Front Desk")) == {"vault": {"all"}}
    assert desk.of(FAX, MAILBOX) == {}


def test_buckets_are_left_out(tmp_path: Path) -> None:
    """Only folders are compared, each under the name of its step."""
    handlers = {"vault": Archive(to=str(tmp_path)), "cloud": Archive(to="s3://bucket/messages")}
    assert archives_in(handlers) == {"vault": tmp_path}
