"""The facts of `ringpost status --json` and of the admin process's `/status`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringpost.completeness_status import Completeness
    from worker.ledger import Overview


def for_programs(overview: "Overview", completeness: "Completeness") -> dict[str, Any]:
    """All as it is, with every time in ISO 8601: a subscription keeps epoch seconds, 0 for none."""
    facts = overview.model_dump(mode="json")
    for subscription in facts["subscriptions"]:
        for name in ("made", "active_until", "checked"):
            found = moment(subscription[name])
            subscription[name] = found and found.isoformat()
    return facts | completeness.as_dict()


def moment(seconds: float) -> datetime | None:
    """The time of these epoch seconds, of 0 none."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
