"""Deliveries as the ledger keeps them: one message on one route."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel

from message_store.mailbox import Mailbox

State = Literal["due", "waiting", "done", "failed", "skipped"]


@dataclass
class Delivery:
    """How far one message has come on one route.

    `done` holds the words of each step that is done, by step name; `closing` the closing steps
    still to come, in order; `step` and `reason` say where and why the last attempt ended.
    """

    state: State = "due"
    attempts: int = 0
    done: dict[str, str] = field(default_factory=dict)
    closing: list[str] | None = None
    step: str | None = None
    reason: str | None = None

    @classmethod
    def from_json(cls, text: str) -> "Delivery":
        """Read what `to_json` or a script of the ledger wrote."""
        return cls(**orjson.loads(text))

    def to_json(self) -> str:
        """The delivery as the scripts read it; absent fields are left out."""
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return orjson.dumps(fields).decode()


NEW_DELIVERY = Delivery().to_json()


@dataclass(frozen=True)
class Claim:
    """One claimed delivery with the snapshot of its message."""

    mailbox: Mailbox
    message_id: str
    route: str
    token: str
    snapshot: str
    delivery: Delivery

    @property
    def member(self) -> str:
        """Its name among the running and failed deliveries."""
        return f"{self.mailbox}\t{self.message_id}\t{self.route}"


class DeliveryRecord(BaseModel):
    """A delivery as people and programs read it."""

    mailbox: str
    message_id: str
    route: str
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
    def member(self) -> str:
        """Its name among the failed deliveries."""
        return f"{self.mailbox}\t{self.message_id}\t{self.route}"
