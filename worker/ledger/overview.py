"""The ledger at a glance, for `ringpost status`."""

from datetime import UTC, datetime

from pydantic import BaseModel

from .budgets import Budget, BudgetsInUse
from .connection import Connection, key
from .records import lane_in_words, read_lane
from .subscription import SubscriptionLedger, SubscriptionRecord


class MailboxStatus(BaseModel):
    """One mailbox: when it was and will be synchronised, and what is open in it."""

    mailbox: str
    last_sync: datetime | None
    next_sync: datetime | None
    due: int
    failed: int
    missed: int
    last_error: str | None


class Overview(BaseModel):
    """All mailboxes, what became of deliveries by route, and what is open now.

    `counts` are by route as `lane_in_words` shows it, then by outcome.
    `problem` is why mailboxes or subscription could not be looked after, None if they could.
    """

    mailboxes: list[MailboxStatus]
    counts: dict[str, dict[str, int]]
    due: int
    running: int
    waiting: int
    failed: int
    polling: bool
    subscription: SubscriptionRecord | None
    problem: str | None
    budgets: list[Budget]


async def read_overview(connection: Connection, budgets: BudgetsInUse) -> Overview:
    """Read it; the parts are read one after another, so sums may be a moment apart."""
    redis = connection.redis
    failed = _per_mailbox(await redis.zrange(key("failed"), 0, -1))
    mailboxes = []
    for name in sorted(await redis.smembers(key("watched"))):
        synchronised, error, missed = await redis.hmget(
            key("mailbox", name), ["synchronised", "error", "missed"]
        )
        mailboxes.append(
            MailboxStatus(
                mailbox=name,
                last_sync=_moment(synchronised),
                next_sync=_moment(await redis.zscore(key("schedule"), name)),
                due=await redis.zcard(key("due", name)),
                failed=failed.get(name, 0),
                missed=int(missed or 0),
                last_error=error,
            )
        )
    counts: dict[str, dict[str, int]] = {}
    for field, value in (await redis.hgetall(key("counts"))).items():
        outcome, _, lane = field.partition("\t")
        counts.setdefault(lane_in_words(*read_lane(lane)), {})[outcome] = int(value)
    waiting = 0
    for member in await redis.zrange(key("closing-due"), 0, -1):
        mailbox, _, step = member.partition("\t")
        waiting += await redis.zcard(key("closing", f"{mailbox}\t{step}"))
    subscriptions = SubscriptionLedger(connection)
    subscription = await subscriptions.load()
    return Overview(
        mailboxes=mailboxes,
        counts=counts,
        due=sum(mailbox.due for mailbox in mailboxes),
        running=await redis.zcard(key("running")),
        waiting=waiting,
        failed=sum(failed.values()),
        polling=subscription is None or not subscription.is_active,
        subscription=subscription,
        problem=await subscriptions.problem(),
        budgets=await budgets.read(),
    )


def _per_mailbox(members: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for member in members:
        mailbox = member.partition("\t")[0]
        counts[mailbox] = counts.get(mailbox, 0) + 1
    return counts


def _moment(seconds: str | float | None) -> datetime | None:
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None
