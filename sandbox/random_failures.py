"""Every n-th call fails, each time in another of the ways that RingCentral documents.

Source: https://developers.ringcentral.com/guide/basics/errors
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.clock import read_time

if TYPE_CHECKING:
    from sandbox.exchange import Exchange

PAGE = "<html><head><title>Error</title></head><body><h1>Bad Gateway</h1></body></html>"
YOUNG = 5.0
"""For so many seconds a message that was just announced may not be found yet."""
LOGINS_LEFT = 3
"""What needs another login is left out while the app has fewer than these: it must never be
these failures that make a client who follows the rules exceed the limit of logins."""

TOKEN = frozenset({"getToken"})
CONTENT = frozenset({"readMessageContent"})
READS = frozenset(
    {
        "checkUserPermission",
        "listExtensions",
        "listMessages",
        "listSubscriptions",
        "readAccountInfo",
        "readExtension",
        "readMessage",
        "readMessageStoreConfiguration",
        "readSubscription",
        "syncMessages",
    }
)
WRITES = frozenset(
    {
        "deleteMessage",
        "deleteMessageByFilter",
        "patchMessage",
        "updateMessage",
        "updateMessageStoreConfiguration",
    }
)
SUBSCRIBING = frozenset(
    {"createSubscription", "deleteSubscription", "renewSubscription", "updateSubscription"}
)
SENDING = frozenset({"createMMS", "createSMSMessage"})
CALLS = CONTENT | READS | WRITES | SUBSCRIBING | SENDING
Condition = Callable[["Exchange"], bool]


def _always(exchange: "Exchange") -> bool:
    return True


def _logins_left(exchange: "Exchange") -> bool:
    app = exchange.user.partition("/")[0]
    return exchange.emulator.limits.left(app, "auth") >= LOGINS_LEFT


def _is_young(exchange: "Exchange") -> bool:
    record = _record(exchange)
    now = exchange.emulator.clock.time()
    return bool(record) and now - read_time(record["creationTime"]) < YOUNG


def _is_fax(exchange: "Exchange") -> bool:
    return _record(exchange).get("type") == "Fax"


def _is_incremental(exchange: "Exchange") -> bool:
    return exchange.request.query.get("syncType") == "ISync"


def _record(exchange: "Exchange") -> dict[str, str]:
    message_id = exchange.request.match_info.get("messageId", "")
    found = exchange.emulator.find(int(message_id)) if message_id.isdecimal() else None
    return found.record if found else {}


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail. `how` is "error" (RingCentral's form), "page" (HTML), "penalty" (the 429
    that begins one), "silence" (no answer) or "half" (the true answer, broken off in the middle).
    """

    how: str
    operations: frozenset[str]
    status: int = 0
    code: str = ""
    parameter: str = ""
    waits: bool = False
    """Whether the answer says `Retry-After`."""
    when: Condition = _always

    @property
    def name(self) -> str:
        """What the request log calls it."""
        return f"{self.how} {self.status} {self.code}".replace(" 0", "").strip()


FAILURES = (
    Failure("error", CALLS | TOKEN, 500, "CMN-203"),
    Failure("error", CALLS | TOKEN, 503, "CMN-201", waits=True),
    Failure("page", CALLS | TOKEN, 502),
    Failure("page", CALLS | TOKEN, 503),
    Failure("page", CALLS, 408),
    Failure("page", READS, 200),
    Failure("penalty", CALLS | TOKEN, 429, "CMN-301"),
    Failure("silence", CALLS),
    Failure("half", CALLS),
    Failure("error", CALLS, 401, "OAU-213", when=_logins_left),
    Failure("error", CALLS, 401, "OAU-149", when=_logins_left),
    Failure("error", CONTENT, 404, "CMN-102", "attachmentId", when=_is_young),
    Failure("error", frozenset({"readMessage"}), 404, "CMN-102", "messageId", when=_is_young),
    Failure("error", CONTENT, 404, "MSG-368", when=_is_fax),
    Failure("error", WRITES, 503, "CMN-211", waits=True),
    Failure(
        "error", frozenset({"syncMessages"}), 400, "MSG-333", "syncToken", when=_is_incremental
    ),
    Failure(
        "error", frozenset({"syncMessages"}), 400, "CMN-101", "syncToken", when=_is_incremental
    ),
)


class RandomFailures:
    """Chooses for every n-th call of all; the same seed makes the same choices."""

    def __init__(self, every: int, seed: int) -> None:
        if every < 2:
            raise ValueError(f"every: at least 2, or nothing would ever work: {every}")
        self._every = every
        self._seed = seed
        self._calls = 0

    def next(self, exchange: "Exchange") -> Failure | None:
        """How this call shall fail; None: it shall work. A login that cannot be repeated does."""
        name = exchange.operation.name
        if name not in CALLS | TOKEN:
            return None
        self._calls += 1
        if self._calls % self._every:
            return None
        if name in TOKEN and not _logins_left(exchange):
            return None
        fitting = [f for f in FAILURES if name in f.operations and f.when(exchange)]
        # of the number of the call alone, so that one choice does not depend on the ones before
        chance = random.Random(f"{self._seed}/{self._calls}")  # noqa: S311 - repeatable, no secret
        return chance.choice(fitting)
