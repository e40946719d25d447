"""The ledger at a glance, for `ringpost status`."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from .assignments import AssignmentLedger, PermissionLedger
from .breakers import BreakerStatus, breaker_states
from .budgets import Budget, BudgetsInUse
from .configurations import ConfigurationLedger, ConfigurationStatus
from .connection import Connection, key
from .coverage import NOT_YET, Cover, CoverageLedger, Darkness
from .records import lane_in_words, read_lane
from .subscription import SubscriptionLedger, SubscriptionRecord, scopes


class MailboxStatus(BaseModel):
    """One mailbox: when it was and will be synchronised, and what is open in it.

    `covered_until`: as long as RingCentral tells of changes; else it is dark, and polled.
    `walked_back_to`: how far a full sync under way has come; it goes back to `walks_back_to`.
    """

    mailbox: str
    last_sync: datetime | None
    next_sync: datetime | None
    due: int
    failed: int
    missed: int
    last_error: str | None
    covered_until: datetime | None = None
    dark_since: datetime | None = None
    dark_because: str | None = None
    walked_back_to: datetime | None = None
    walks_back_to: datetime | None = None


class Unwatched(BaseModel):
    """A mailbox that is meant but not watched, or not fully: `missing` are the permissions."""

    mailbox: str
    account: str
    extension: str
    missing: list[str]


class Overview(BaseModel):
    """All mailboxes, what became of deliveries by route, and what is open now.

    `counts` are by route as `lane_in_words` shows it, then by outcome.
    `problem` is why mailboxes or subscriptions could not be looked after, None if they could.
    `configurations` are what each worker goes by.
    `polling`: whether any mailbox is dark and so polled. `bulk`: how many of the due can wait.
    """

    mailboxes: list[MailboxStatus]
    counts: dict[str, dict[str, int]]
    due: int
    bulk: int
    running: int
    waiting: int
    failed: int
    polling: bool
    subscriptions: list[SubscriptionRecord]
    problem: str | None
    unwatched: list[Unwatched]
    budgets: list[Budget]
    breakers: list[BreakerStatus] = []
    configurations: list[ConfigurationStatus] = []


async def read_overview(connection: Connection, budgets: BudgetsInUse) -> Overview:
    """Read it; the parts are read one after another, so sums may be a moment apart."""
    redis = connection.redis
    subscriptions, covers, problems = await _looked_after(connection)
    failed = _per_mailbox(await redis.zrange(key("failed"), 0, -1))
    put_off = _per_mailbox(
        [
            member
            for step in await redis.hkeys(key("breakers"))
            for member in await redis.zrange(key("put-off", step), 0, -1)
        ]
    )
    mailboxes, bulk = [], 0
    names = sorted(await redis.smembers(key("watched")))
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hmget(
                key("mailbox", name), ["synchronised", "error", "missed", "walk_to", "floor"]
            )
            pipe.zscore(key("schedule"), name)
            pipe.zcard(key("due", name))
            pipe.zcard(key("bulk-due", name))
        told = await pipe.execute()
    for name, facts, at, due, can_wait in zip(
        names, told[::4], told[1::4], told[2::4], told[3::4], strict=True
    ):
        synchronised, error, missed, walked, floor = facts
        bulk += can_wait
        mailboxes.append(
            MailboxStatus(
                mailbox=name,
                last_sync=_moment(synchronised),
                next_sync=_moment(at),
                due=due + can_wait + put_off.get(name, 0),
                failed=failed.get(name, 0),
                missed=int(missed or 0),
                last_error=error,
                walked_back_to=_moment(walked),
                walks_back_to=_moment(floor) if walked else None,
                **_coverage(covers.get(name)),
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
    return Overview(
        mailboxes=mailboxes,
        counts=counts,
        due=sum(mailbox.due for mailbox in mailboxes),
        bulk=bulk,
        running=await redis.zcard(key("running")),
        waiting=waiting,
        failed=sum(failed.values()),
        polling=any(mailbox.covered_until is None for mailbox in mailboxes),
        subscriptions=subscriptions,
        problem="; ".join(problems) or None,
        unwatched=await _unwatched(connection, await budgets.accounts()),
        budgets=await budgets.read(),
        breakers=await breaker_states(redis),
        configurations=await ConfigurationLedger(connection).read(),
    )


async def _looked_after(
    connection: Connection,
) -> tuple[list[SubscriptionRecord], dict[str, Cover], list[str]]:
    """The subscriptions, covers and problems of all credentials."""
    records: list[SubscriptionRecord] = []
    covers: dict[str, Cover] = {}
    problems = []
    for scope in await scopes(connection):
        subscriptions = SubscriptionLedger(connection, scope)
        records += await subscriptions.records()
        for name, cover in (await CoverageLedger(connection, scope).read()).items():
            # a mailbox that one credential does not cover any more may be another's by now
            if name not in covers or covers[name].until is None:
                covers[name] = cover
        if problem := await subscriptions.problem():
            problems.append(problem)
    return records, covers, problems


async def _unwatched(connection: Connection, accounts: dict[str, str]) -> list[Unwatched]:
    """What users lack for mailboxes, but for those that another user looks after."""
    assigned = await AssignmentLedger(connection).load()
    return [
        Unwatched(mailbox=str(mailbox), account=account, extension=lack.title, missing=lack.missing)
        for scope, account in accounts.items()
        for mailbox, lack in sorted((await PermissionLedger(connection, scope).load()).items())
        if lack.missing and assigned.get(mailbox, scope) == scope
    ]


def _coverage(cover: Cover | None) -> dict[str, Any]:
    until, darkness = cover or (None, Darkness(why=NOT_YET))
    return {
        "covered_until": _moment(until),
        "dark_since": _moment(darkness.since) if darkness else None,
        "dark_because": darkness.why if darkness else None,
    }


def _per_mailbox(members: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for member in members:
        mailbox = member.partition("\t")[0]
        counts[mailbox] = counts.get(mailbox, 0) + 1
    return counts


def _moment(seconds: str | float | None) -> datetime | None:
    return datetime.fromtimestamp(float(seconds), UTC) if seconds else None
