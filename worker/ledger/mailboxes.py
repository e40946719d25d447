"""The ledger of mailboxes: which are watched, when each is synchronised, and what was seen."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

import orjson

from message_store.mailbox import Mailbox

from .connection import Connection, key
from .own_changes import OWN_CHANGE_SECONDS
from .records import Delivery, lane
from .snapshots import Snapshots

# Two syncs of one mailbox start at least this far apart: a burst of notifications costs few calls.
SYNC_GAP = 0.75
SEEN_PER_MAILBOX = 20_000
EVERY_MAILBOX = "*"
PERSONAL = "personal"


@dataclass(frozen=True)
class SyncLease:
    """The right to synchronise one mailbox, and what the sync starts from.

    `floor` (what is older is never new), `synchronised` (None before the first sync) and `walk_to`
    are epoch seconds. With a `walk_token` an earlier full sync was interrupted: it goes on below
    `walk_to` and ends with that token. Either token is good for the `owner` it was made with only.
    `hinted`: something may be new, it is not only time to look.
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
    owner: str = PERSONAL
    walk_owner: str = PERSONAL
    hinted: bool = False


@dataclass(frozen=True)
class Happened:
    """One thing that happened to a message, when (ISO 8601), and the routes that are on it."""

    on: str
    routes: Sequence[str] = ()
    at: str | None = None


@dataclass(frozen=True)
class Seen:
    """A new message: its identity, fingerprint, snapshot, and what happened to it so far."""

    id: str
    created: float
    print: str
    snapshot: str
    happened: Sequence[Happened] = ()


@dataclass(frozen=True)
class Changed:
    """A message that is not as it was when its fingerprint was `before`.

    `before` is None for one that is unknown, being too old to be new: nothing happened to it.
    `wakes`: what deliveries of it may wait for has come, or will not come any more.
    """

    id: str
    before: str | None
    print: str
    snapshot: str | None
    happened: Sequence[Happened] = ()
    wakes: bool = False


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
    `owner` is whose messages the walk asks for.
    """

    created: Sequence[Seen] = ()
    updated: Sequence[Changed] = ()
    missed: Sequence[Missed] = ()
    token: str | None = None
    walk_token: str | None = None
    walk_to: float | None = None
    owner: str = PERSONAL


class MailboxLedger:
    """Leases, schedule and memory of the mailboxes."""

    def __init__(self, connection: Connection, lease_seconds: float, snapshots: Snapshots) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._lease_seconds = lease_seconds
        self._snapshots = snapshots

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
                pipe.hsetnx(key("mailbox", new), "began", str(floor))
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

    async def retry_now(self, mailboxes: Iterable[Mailbox]) -> None:
        """What kept these from being synchronised is over: they need not wait for their retry."""
        names = [str(mailbox) for mailbox in mailboxes]
        async with self._redis.pipeline() as pipe:
            for name in names:
                pipe.hdel(key("mailbox", name), "retry_at", "failures")
            await pipe.execute()
        if names:
            await self.hint(names)

    async def hint(self, mailboxes: Iterable[str]) -> list[Mailbox]:
        """Mark mailboxes as dirty (`*` is all); the watched ones that may be synchronised now."""
        due = await self._connection.run("hint", SYNC_GAP, *mailboxes)
        return [Mailbox.parse(name) for name in due]

    async def sweep(self) -> None:
        """Make all watched mailboxes due; what is hinted at comes before."""
        seconds, _ = await self._redis.time()
        if names := await self._redis.smembers(key("watched")):
            # A lease, a retry or the least gap between two syncs still counts at the claim.
            due = dict.fromkeys(names, seconds)
            await self._redis.zadd(key("schedule"), due, xx=True, lt=True)

    async def claim(self, mailbox: Mailbox) -> SyncLease | None:
        """Take the mailbox for one sync; None if it is taken, unwatched or was just done."""
        lease = uuid4().hex
        state = await self._connection.run(
            "claim_sync", str(mailbox), lease, self._lease_seconds, SYNC_GAP
        )
        if state is None:
            return None
        generation, token, floor, synchronised, failures, walk_token, walk_to = state[:7]
        owner, walk_owner, synchronised_generation = state[7:]
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
            owner=owner or PERSONAL,
            walk_owner=walk_owner or PERSONAL,
            hinted=(generation or "") != (synchronised_generation or ""),
        )

    async def renew(self, leases: Collection[SyncLease]) -> None:
        """Hold these mailboxes for another lease."""
        held = [part for lease in leases for part in (str(lease.mailbox), lease.lease)]
        if held:
            await self._connection.run("renew_sync", self._lease_seconds, *held)

    async def finish(
        self, lease: SyncLease, next_in: float, error: str = "", *, failed: bool = True
    ) -> None:
        """Give the mailbox back; it is due again in `next_in` seconds, or at once if hinted.

        With an `error` it is not synchronised; one that is nobody's fault has not `failed`.
        """
        await self._connection.run(
            "finish_sync",
            str(lease.mailbox),
            lease.lease,
            lease.generation,
            next_in,
            SYNC_GAP,
            error,
            int(failed),
        )

    async def known(self, mailbox: Mailbox, ids: Sequence[str]) -> dict[str, str]:
        """The fingerprints of those ids that were seen before."""
        if not ids:
            return {}
        prints = await self._redis.hmget(key("prints", str(mailbox)), list(ids))
        return {id_: print_ for id_, print_ in zip(ids, prints, strict=True) if print_ is not None}

    async def snapshots(self, mailbox: Mailbox, ids: Sequence[str]) -> dict[str, str]:
        """The snapshots of those messages that are open: some delivery of theirs is not done.

        One whose key is gone is left out.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.hget(key("message", str(mailbox), id_), "message")
            found = await pipe.execute()
        return {
            id_: snapshot
            for id_, text in zip(ids, found, strict=True)
            if text is not None and (snapshot := self._snapshots.open(text)) is not None
        }

    async def commit(self, lease: SyncLease, page: Page) -> bool:
        """Write one page in one step; False if the lease or the starting token was lost.

        What happened makes a delivery due on each of its routes, unless it is our own doing or
        the same delivery is still open: that one will find the message as it is now.
        """
        body = orjson.dumps(
            {
                "created": [self._told(seen) for seen in page.created],
                "updated": [self._told(changed) for changed in page.updated],
                "missed": page.missed,
                "owner": page.owner,
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
            OWN_CHANGE_SECONDS,
        )
        return bool(written)

    def _told(self, message: Seen | Changed) -> dict[str, object]:
        """A message as the script reads it, with the lanes and deliveries that it causes."""
        happened = [
            {
                "on": one.on,
                "lanes": [lane(route, one.on) for route in one.routes],
                "delivery": Delivery(at=one.at, seen=time.time()).to_json(),
            }
            for one in message.happened
        ]
        snapshot = None if message.snapshot is None else self._snapshots.seal(message.snapshot)
        return vars(message) | {"happened": happened, "snapshot": snapshot}
