"""The ledger of deliveries: claimed in turn, recorded step by step, settled or failed."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

import orjson

from message_store.mailbox import Mailbox
from worker.happenings import CREATED

from .breakers import Breaker, read_breakers
from .configurations import ConfigurationLedger
from .connection import Connection, key
from .occasions import OccasionLedger
from .patience import patiently
from .records import Admitted, Claim, Delivery, DeliveryRecord, lane, read_lane
from .snapshots import Snapshots, about

FEW_PER_MAILBOX = 5
LAPSES_UNTIL_FAILED = 5
# Bulk claims of the whole fleet: a fifth of what one worker delivers at once.
BULK_AT_ONCE = 10
_PER_CALL = 500
_OVERTAKEN_BY = 60.0
Says = Literal["answered", "failing", "nothing"]

_LAPSED = "the worker died five times in the middle of it; `ringpost replay` tries again"


class DeliveryLedger:
    """Claims, steps and outcomes of deliveries."""

    def __init__(self, connection: Connection, lease_seconds: float, snapshots: Snapshots) -> None:
        self._connection = connection
        self._redis = connection.redis
        self.lease_seconds = lease_seconds
        self.occasions = OccasionLedger(connection)
        self.configurations = ConfigurationLedger(connection)
        self._snapshots = snapshots
        self.breakers: dict[str, Breaker] = {}
        """The breakers that are open, as this process last heard."""
        self._heard_at = 0.0

    async def claim(self, most: int) -> list[Claim]:
        """Claim up to `most` due deliveries, a few from each mailbox in turn.

        Live ones come first; bulk ones take places that are left, ten at once in the whole fleet.
        """
        token, now = uuid4().hex, time.time()
        rows, breakers = await self._connection.run(
            "claim_deliveries", token, most, FEW_PER_MAILBOX, self.lease_seconds, BULK_AT_ONCE
        )
        self._hear(breakers)
        claims = []
        for mailbox, id_, route_on, text, delivery in rows:
            route, on = read_lane(route_on)
            snapshot = self._snapshots.open(text)
            state = Delivery.from_json(delivery)
            if state.added is not None:
                state.added = self._snapshots.open_words(state.added)
            claims.append(
                Claim(Mailbox.parse(mailbox), id_, route, token, snapshot, state, on, held_at=now)
            )
        return claims

    async def admit(self, mailbox: Mailbox, messages: Sequence[Admitted]) -> int:
        """Make deliveries of these messages due in bulk, in one step; how many were made due.

        A delivery (message, route, what happened) that is due, running, waiting or failed already
        is left alone, and so not counted; one that was done or skipped, or never was, is made due,
        a skipped one with the steps it has done. Messages that a later sync would take for new
        count as seen, with this fingerprint, even if none of their deliveries was made due.
        Give it a page of messages (some 250) at a time: Redis does nothing else meanwhile.
        """
        return int(await self._connection.run("admit", str(mailbox), self.as_text(messages)))

    def as_text(self, messages: Sequence[Admitted]) -> str:
        """Messages as scripts that admit them read them."""
        return orjson.dumps([self._admitted(message) for message in messages]).decode()

    async def renew(self, claims: Iterable[Claim]) -> list[Claim]:
        """Hold these claims for another lease; returns those that others have by now."""
        claims, now = list(claims), time.time()
        held = [part for claim in claims for part in (claim.token, claim.member)]
        lost: list[str] = []
        if held:
            lost = await self._connection.run("renew_claims", self.lease_seconds, *held)
        gone = set(zip(lost[::2], lost[1::2], strict=True))
        going_on = [claim for claim in claims if claim.held_at is not None]
        others = [claim for claim in going_on if (claim.token, claim.member) in gone]
        for claim in going_on:
            claim.held_at = None if claim in others else now
        return others

    async def holds(self, claim: Claim) -> bool:
        """Whether the claim is still ours; asks only if it was not renewed in time.

        A process that stood still does not know that another one has taken its work over.
        """
        if time.time() - (claim.held_at or 0.0) < self.lease_seconds:
            return True
        name = key("message", str(claim.mailbox), claim.message_id)
        token = await patiently(lambda: self._redis.hget(name, f"c:{claim.lane}"))
        return bool(token == claim.token)

    async def record_step(self, claim: Claim) -> bool:
        """Write the delivery as it stands now; False if the claim was lost to another worker."""
        written = await patiently(
            lambda: self._connection.run("record_step", *self._as_it_stands(claim))
        )
        return bool(written)

    async def of_creation(self, claim: Claim) -> Delivery | None:
        """How far the same message on the same route is with its creation; None if forgotten."""
        field = f"d:{lane(claim.route, CREATED)}"
        name = key("message", str(claim.mailbox), claim.message_id)
        text = await self._redis.hget(name, field)
        return None if text is None else Delivery.from_json(text)

    async def creation_due(self, claim: Claim) -> float | None:
        """When that is due, unless it is under way."""
        member = f"{claim.message_id}\t{lane(claim.route, CREATED)}"
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in ("due", "bulk-due"):
                pipe.zscore(key(name, str(claim.mailbox)), member)
            found = await pipe.execute()
        return next((at for at in found if at is not None), None)

    async def settle(
        self, claim: Claim, *, due_in: float | None = None, says: Says = "nothing"
    ) -> bool:
        """End the claim with the delivery as it stands.

        `says`: what the last attempt tells of the destination of its step; a step that is done has
        been answered. True if no delivery of the message needs its files any more.
        """
        wait = "" if due_in is None else due_in
        claim.held_at = None
        settled, breakers = await patiently(
            lambda: self._connection.run("settle_delivery", *self._as_it_stands(claim), wait, says)
        )
        self._hear(breakers)
        return bool(settled == 1)

    async def put_off(self, claim: Claim) -> bool:
        """End the claim because the breaker of its step is open: it waits for that.

        True if it is to go on instead, being the probe. `until` of the delivery must be set.
        """
        held_at, claim.held_at = claim.held_at, None
        probes = await patiently(
            lambda: self._connection.run("put_off", *self._as_it_stands(claim))
        )
        if probes:
            claim.held_at = held_at
        return bool(probes)

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back untouched: due at once, no attempt counted."""
        for token in {claim.token for claim in claims}:
            members = [claim.member for claim in claims if claim.token == token]
            await self._connection.run("release_claims", token, *members)

    async def reclaim_lapsed(self) -> int:
        """Make deliveries due again whose worker died; how many."""
        return int(await self._connection.run("reclaim_lapsed", LAPSES_UNTIL_FAILED, _LAPSED))

    async def failures(self, limit: int | None = 100) -> list[DeliveryRecord]:
        """Failed and skipped deliveries, the newest first; all without a limit."""
        last = -1 if limit is None else limit - 1
        rows = await self._redis.zrevrange(key("failed"), 0, last, withscores=True)
        records: list[DeliveryRecord] = []
        for start in range(0, len(rows), _PER_CALL):
            records += await self._records(rows[start : start + _PER_CALL])
        return records

    async def replay(self, records: Sequence[DeliveryRecord] | None = None) -> int:
        """Make failed deliveries (all of them by default) due, in bulk; how many.

        Their messages are read again at RingCentral; steps that are recorded are not repeated.
        """
        if records is None:
            members = await self._redis.zrange(key("failed"), 0, -1)
        else:
            members = [record.member for record in records]
        replayed = 0
        for start in range(0, len(members), _PER_CALL):
            replayed += await self._connection.run("replay", *members[start : start + _PER_CALL])
        return replayed

    def _as_it_stands(self, claim: Claim) -> tuple[str, str, str, str, str]:
        """A claim and its delivery as scripts read them."""
        delivery = claim.delivery
        if delivery.added is not None:
            delivery = replace(delivery, added=self._snapshots.seal_words(delivery.added))
        return str(claim.mailbox), claim.message_id, claim.lane, claim.token, delivery.to_json()

    def _hear(self, breakers: Sequence[str]) -> None:
        """Take what a script says of the breakers, unless a later one was heard before it."""
        if not breakers:
            return
        at = float(breakers[0])
        # much earlier: the clock of Redis was set back
        if at >= self._heard_at or at < self._heard_at - _OVERTAKEN_BY:
            self._heard_at = at
            self.breakers = read_breakers(breakers[1:])

    async def _records(self, rows: Sequence[tuple[str, float]]) -> list[DeliveryRecord]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for member, _ in rows:
                mailbox, id_, route_on = member.split("\t", 2)
                pipe.hmget(key("message", mailbox, id_), ["message", f"d:{route_on}"])
            found = await pipe.execute()
        return [
            _record(member, since, snapshot, delivery)
            for (member, since), (snapshot, delivery) in zip(rows, found, strict=True)
            if snapshot is not None and delivery is not None
        ]

    def _admitted(self, message: Admitted) -> dict[str, object]:
        """A message as the script reads it."""
        deliveries = {lane(*names): one.to_json() for names, one in message.deliveries.items()}
        snapshot = self._snapshots.seal(message.snapshot)
        return vars(message) | {"deliveries": deliveries, "snapshot": snapshot}


def _record(member: str, since: float, snapshot: str, delivery: str) -> DeliveryRecord:
    mailbox, id_, route_on = member.split("\t", 2)
    route, on = read_lane(route_on)
    state, message = Delivery.from_json(delivery), about(snapshot)
    return DeliveryRecord(
        mailbox=mailbox,
        message_id=id_,
        route=route,
        on=on,
        state=state.state,
        step=state.step,
        reason=state.reason,
        attempts=state.attempts,
        done=state.done,
        since=datetime.fromtimestamp(since, UTC),
        created=message.created,
        type=message.type,
    )
