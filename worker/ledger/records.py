"""Deliveries as the ledger keeps them: one message on one route for one thing that happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel

from message_store.mailbox import Mailbox
from worker.happenings import CREATED

State = Literal["due", "waiting", "done", "failed", "skipped"]


@dataclass
class Delivery:
    """How far one message has come on one route.

    `at` says when that happened which the route is on (ISO 8601), unless it is the creation. A
    `bulk` delivery (backfill, repair, replay) runs in what live work leaves.
    `seen` is when a sync found out what happened (epoch seconds).
    `done` holds the words of each step that is done, by step name; `closing` the closing steps
    still to come, in order; `step` and `reason` say where and why the last attempt ended. `until`
    (epoch seconds) is how long it may wait for destinations that fail altogether. `fresh`: its
    message is read again at RingCentral, for it may have changed. `early`: its step waits for its
    time, and nothing is wrong.
    `awaits` is what it waits for before its first step: an update of the message makes it due.
    `added` is the transcription that one of its steps has made.
    """

    state: State = "due"
    attempts: int = 0
    done: dict[str, str] = field(default_factory=dict)
    closing: list[str] | None = None
    step: str | None = None
    reason: str | None = None
    at: str | None = None
    bulk: bool = False
    seen: float | None = None
    until: float | None = None
    fresh: bool = False
    awaits: str | None = None
    added: str | None = None
    early: bool = False

    @classmethod
    def from_json(cls, text: str) -> "Delivery":
        """Read what `to_json` or a script of the ledger wrote, in this version or a later one."""
        written = orjson.loads(text)
        return cls(**{name: written[name] for name in written.keys() & _FIELDS})

    def to_json(self) -> str:
        """The delivery as the scripts read it; absent fields are left out."""
        said = {
            name: value
            for name, value in vars(self).items()
            if value is not None and value is not False
        }
        return orjson.dumps(said).decode()


_FIELDS = {one.name for one in fields(Delivery)}


def lane(route: str, on: str) -> str:
    """What stands for a route and what happened in the ledger's keys: `route`, or `route TAB on`.

    The scripts take it for the route: they need not know what happened.
    """
    return route if on == CREATED else f"{route}\t{on}"


def read_lane(text: str) -> tuple[str, str]:
    """The route, and what happened, of a lane."""
    route, _, on = text.partition("\t")
    return route, on or CREATED


def lane_in_words(route: str, on: str) -> str:
    """A lane for people: the route, with what happened in parentheses if it is not the creation."""
    return route if on == CREATED else f"{route} ({on})"


@dataclass(frozen=True)
class Admitted:
    """A message that is to be delivered behind live work.

    `created` in epoch seconds, `print` its fingerprint (a `State` as text), `snapshot` its JSON.
    The `deliveries` are by route and what happened (`created`), as they begin: steps that are in
    `done` already are not taken. `only_unseen`: if a sync has seen the message, nothing is made
    due, because the sync has caused its deliveries.
    """

    id: str
    created: float
    print: str
    snapshot: str
    deliveries: Mapping[tuple[str, str], Delivery]
    only_unseen: bool = False


@dataclass(eq=False)
class Claim:
    """One claimed delivery with the snapshot of its message, None if its key is gone.

    `held_at`: when it was held for a lease last, by the wall clock; None once it is being ended.
    """

    mailbox: Mailbox
    message_id: str
    route: str
    token: str
    snapshot: str | None
    delivery: Delivery
    on: str = CREATED
    held_at: float | None = None

    @property
    def lane(self) -> str:
        """Its name among the deliveries of the message."""
        return lane(self.route, self.on)

    @property
    def member(self) -> str:
        """Its name among the running and failed deliveries."""
        return f"{self.mailbox}\t{self.message_id}\t{self.lane}"


class DeliveryRecord(BaseModel):
    """A delivery as people and programs read it."""

    mailbox: str
    message_id: str
    route: str
    on: str = CREATED
    state: str
    step: str | None = None
    reason: str | None = None
    attempts: int = 0
    done: dict[str, str] = {}
    due: datetime | None = None
    since: datetime | None = None
    created: datetime | None = None
    type: str | None = None

    @property
    def lane_in_words(self) -> str:
        """Its route, and what happened if it is not the creation."""
        return lane_in_words(self.route, self.on)

    @property
    def member(self) -> str:
        """Its name among the failed deliveries."""
        return f"{self.mailbox}\t{self.message_id}\t{lane(self.route, self.on)}"
