"""Every point at which a test kills a process, and what may be seen twice afterwards.

`docs/crash-safety.md` has a row for each; a test holds the two together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

IDLE = "nothing is to be done, and the pump looks again"
FAX = "a fax arrives"
SLOW = "a fax arrives, and every call takes long"
CHECK = "the subscriptions are checked"
LOST = "the subscription was blacklisted, and is checked"
SIGNED_OUT = "the session has ended, and a fax arrives"
STOPPED = "the worker is stopped in the middle of a delivery"
REPLAYED = "what has failed is replayed by hand"
AWAY = "the mail server is away"
CLEARED = "a fax arrives that is to be deleted an hour later"
BACKFILLED = "what came before the start is filled up"
BACKFILL_BEGUN = "a backfill is asked for by hand"
REPAIRED = "a folder of the archive is lost, and repaired by hand"
BY_HAND = {REPLAYED, BACKFILL_BEGUN, REPAIRED}


@dataclass(frozen=True, slots=True)
class Point:
    """Where a worker dies; `trigger` is what brings it there, `twice` what is done again."""

    name: str
    trigger: str = FAX
    twice: frozenset[str] = frozenset()


def _both(door: str, trigger: str = FAX, before: str = "", after: str = "") -> Iterator[Point]:
    yield Point(f"before {door}", trigger, frozenset(before.split()))
    yield Point(f"after {door}", trigger, frozenset(after.split()))


POINTS = (
    *_both("hint"),
    *_both("claim_sync"),
    *_both("budget"),
    *_both("message-sync"),
    *_both("commit_page"),
    *_both("publish"),
    *_both("finish_sync"),
    *_both("due_work", IDLE),
    *_both("reclaim_lapsed", IDLE),
    *_both("claim_deliveries"),
    *_both("message-content", after="download"),
    Point("after sync message.json", twice=frozenset({"download"})),
    *_both("commit manifest.json", before="download", after="download"),
    *_both("chain", before="download", after="download"),
    *_both("record_step", before="download", after="download"),
    *_both("mail", before="download", after="mail download"),
    Point("after dot", twice=frozenset({"mail", "download"})),
    *_both("settle_delivery", before="mail download"),
    *_both("claim_closing"),
    *_both("note_own_changes"),
    *_both("message-mark", after="mark"),
    *_both("finish_closing", before="mark"),
    *_both("renew_sync", SLOW),
    *_both("renew_claims", SLOW, before="download", after="download"),
    *_both("renew_closing", SLOW, before="mark", after="mark"),
    *_both("login", SIGNED_OUT),
    *_both("save token", SIGNED_OUT),
    *_both("hint_check", CHECK),
    *_both("begin_check", CHECK),
    *_both("end_check", CHECK),
    *_both("subscription-create", LOST),
    *_both("save subscription", LOST),
    *_both("save cover", LOST),
    *_both("subscription-delete", LOST),
    *_both("release_claims", STOPPED, before="download", after="download"),
    *_both("replay", REPLAYED),
    *_both("postpone", CLEARED, before="mark", after="mark"),
    *_both("claim_postponed", IDLE),
    *_both("put_off", AWAY, before="download", after="download"),
    *_both("begin_backfill", BACKFILL_BEGUN),
    *_both("admit_page", BACKFILLED),
    *_both("end_backfill", BACKFILLED),
    *_both("message_states", REPAIRED, before="download", after="download"),
    *_both("admit", REPAIRED, before="download", after="download"),
)

WEBHOOK_POINTS = tuple(_both("hand on"))
"""Those of the webhook: `tests/e2e/test_kills.py` has a test for each."""
