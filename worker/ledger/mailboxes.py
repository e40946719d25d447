"""The ledger of mailboxes: which are watched, when each is synchronised, and what was seen."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import orjson

from message_store.mailbox import Mailbox

from .connection import Connection, key
from .records import NEW_DELIVERY

# Two syncs of one mailbox start at least this far apart: a burst of notifications costs few calls.
SYNC_GAP = 0.75
SEEN_PER_MAILBOX = 20_000
EVERY_MAILBOX = "*"


@dataclass(frozen=True)
class SyncLease:
    """The right to synchronise one mailbox, and what the sync starts from.

    `floor` (what is older is never new), `synchronised` (None before the first sync) and `walk_to`
    are epoch seconds. With a `walk_token` an earlier full sync was interrupted: it goes on below
    `walk_to` and ends with that token.
    """

    mailbox: Mailbox
    lease: str
    generation: str
    sync_token: str | None
    floor: float
    synchronised: float | None = None
    failures: int = 0
    walk_token: str | None = None
    walk_to: float | None = None


@dataclass(frozen=True)
class Seen:
    """A new message: its identity, fingerprint, snapshot, and the routes that want it."""

    id: str
    created: float
    print: str
    snapshot: str
    routes: Sequence[str] = ()


@dataclass(frozen=True)
class Changed:
    """A message seen before (or too old to be new) that is not as it was."""

    id: str
    print: str
    snapshot: str | None
    known: bool


@dataclass(frozen=True)
class Missed:
    """A message that was gone before it could be read."""

    id: str
    print: str
    reason: str


@dataclass(frozen=True)
class Page:
    """What one page of a sync says, ready to be written in one step.

    The last page of a walk has the `token` from which the next sync starts; the others say how
    far the walk has come: its token, and the creation time (epoch seconds) it has come down to.
    """

    created: Sequence[Seen] = ()
    updated: Sequence[Changed] = ()
    missed: Sequence[Missed] = ()
    token: str | None = None
    walk_token: str | None = None
    walk_to: float | None = None


class MailboxLedger:
    """Leases, schedule and memory of the mailboxes."""

    def __init__(self, connection: Connection, lease_seconds: float) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._lease_seconds = lease_seconds

    async def first_start(self, now: float) -> float:
        """When the very first start was (epoch seconds): now, unless it is known already."""
        await self._redis.set(key("start"), str(now), nx=True)
        return float(await self._redis.get(key("start")))

    async def watch(self, mailboxes: Collection[Mailbox], floor: float) -> None:
        """Watch exactly these mailboxes; new ones are due at once, others are dropped.

        In a mailbox that was never watched, what was created before `floor` (epoch seconds) is old.
        """
        names = {str(mailbox) for mailbox in mailboxes}
        before = set(await self._redis.smembers(key("watched")))
        async with self._redis.pipeline() as pipe:
            for gone in before - names:
                pipe.srem(key("watched"), gone)
                pipe.zrem(key("schedule"), gone)
            for new in names - before:
                pipe.sadd(key("watched"), new)
                pipe.hsetnx(key("mailbox", new), "floor", str(floor))
            for name in names:
                pipe.zadd(key("schedule"), {name: 0}, nx=True)
            await pipe.execute()

    async def watched(self) -> list[Mailbox]:
        """The mailboxes that are watched."""
        names = await self._redis.smembers(key("watched"))
        return sorted(Mailbox.parse(name) for name in names)

    async def count(self) -> int:
        """How many mailboxes are watched."""
        return int(await self._redis.scard(key("watched")))

    async def hint(self, mailboxes: Iterable[str]) -> list[Mailbox]:
        """Mark mailboxes as dirty (`*` is all); the watched ones that may be synchronised now."""
        due = await self._connection.run("hint", SYNC_GAP, *mailboxes)
        return [Mailbox.parse(name) for name in due]

    async def claim(self, mailbox: Mailbox) -> SyncLease | None:
        """Take the mailbox for one sync; None if it is taken, unwatched or was just done."""
        lease = uuid4().hex
        state = await self._connection.run(
            "claim_sync", str(mailbox), lease, self._lease_seconds, SYNC_GAP
        )
        if state is None:
            return None
        generation, token, floor, synchronised, failures, walk_token, walk_to = state
        return SyncLease(
            mailbox=mailbox,
            lease=lease,
            generation=generation or "",
            sync_token=token or None,
            floor=float(floor or 0),
            synchronised=float(synchronised) if synchronised else None,
            failures=int(failures or 0),
            walk_token=walk_token,
            walk_to=float(walk_to) if walk_to else None,
        )

    async def renew(self, leases: Collection[SyncLease]) -> None:
        """Hold these mailboxes for another lease."""
        held = [part for lease in leases for part in (str(lease.mailbox), lease.lease)]
        if held:
            await self._connection.run("renew_sync", self._lease_seconds, *held)

    async def finish(self, lease: SyncLease, next_in: float, error: str = "") -> None:
        """Give the mailbox back; it is due again in `next_in` seconds, or at once if hinted."""
        await self._connection.run(
            "finish_sync",
            str(lease.mailbox),
            lease.lease,
            lease.generation,
            next_in,
            SYNC_GAP,
            error,
        )

    async def known(self, mailbox: Mailbox, ids: Sequence[str]) -> dict[str, str]:
        """The fingerprints of those ids that were seen before."""
        if not ids:
            return {}
        prints = await self._redis.hmget(key("prints", str(mailbox)), list(ids))
        return {id_: print_ for id_, print_ in zip(ids, prints, strict=True) if print_ is not None}

    async def commit(self, lease: SyncLease, page: Page) -> bool:
        """Write one page in one step; False if the lease or the starting token was lost."""
        body = orjson.dumps(
            {
                "created": page.created,
                "updated": page.updated,
                "missed": page.missed,
                "delivery": NEW_DELIVERY,
                **(
                    {"token": page.token}
                    if page.token
                    else {"walk_token": page.walk_token, "walk_to": page.walk_to}
                ),
            }
        )
        written = await self._connection.run(
            "commit_page",
            str(lease.mailbox),
            lease.lease,
            self._lease_seconds,
            lease.sync_token or "",
            body.decode(),
            SEEN_PER_MAILBOX,
        )
        return bool(written)
