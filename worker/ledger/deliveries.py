"""The ledger of deliveries: claimed in turn, recorded step by step, settled or failed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from message_store.mailbox import Mailbox
from message_store.message import Message

from .connection import Connection, key
from .occasions import OccasionLedger
from .patience import patiently
from .records import Claim, Delivery, DeliveryRecord, read_lane

FEW_PER_MAILBOX = 5
LAPSES_UNTIL_FAILED = 5
_LAPSED = "the worker died five times in the middle of it; `ringpost replay` tries again"


class DeliveryLedger:
    """Claims, steps and outcomes of deliveries."""

    def __init__(self, connection: Connection, lease_seconds: float) -> None:
        self._connection = connection
        self._redis = connection.redis
        self.lease_seconds = lease_seconds
        self.occasions = OccasionLedger(connection)

    async def claim(self, most: int) -> list[Claim]:
        """Claim up to `most` due deliveries, a few from each mailbox in turn."""
        token = uuid4().hex
        rows = await self._connection.run(
            "claim_deliveries", token, most, FEW_PER_MAILBOX, self.lease_seconds
        )
        claims = []
        for mailbox, id_, lane, snapshot, delivery in rows:
            route, on = read_lane(lane)
            state = Delivery.from_json(delivery)
            claims.append(Claim(Mailbox.parse(mailbox), id_, route, token, snapshot, state, on))
        return claims

    async def renew(self, claims: Iterable[Claim]) -> None:
        """Hold these claims for another lease."""
        held = [part for claim in claims for part in (claim.token, claim.member)]
        if held:
            await self._connection.run("renew_claims", self.lease_seconds, *held)

    async def record_step(self, claim: Claim) -> bool:
        """Write the delivery as it stands now; False if the claim was lost to another worker."""
        written = await patiently(
            lambda: self._connection.run("record_step", *_claimed(claim), claim.delivery.to_json())
        )
        return bool(written)

    async def settle(self, claim: Claim, *, due_in: float | None = None) -> bool:
        """End the claim with the delivery as it stands.

        True if no delivery of the message needs its files any more.
        """
        wait = "" if due_in is None else due_in
        settled = await patiently(
            lambda: self._connection.run(
                "settle_delivery", *_claimed(claim), claim.delivery.to_json(), wait
            )
        )
        return bool(settled == 1)

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give claims back untouched: due at once, no attempt counted."""
        for token in {claim.token for claim in claims}:
            members = [claim.member for claim in claims if claim.token == token]
            await self._connection.run("release_claims", token, *members)

    async def reclaim_lapsed(self) -> int:
        """Make deliveries due again whose worker died; how many."""
        return int(await self._connection.run("reclaim_lapsed", LAPSES_UNTIL_FAILED, _LAPSED))

    async def failures(self, limit: int = 100) -> list[DeliveryRecord]:
        """Failed deliveries, the newest failure first."""
        rows = await self._redis.zrevrange(key("failed"), 0, limit - 1, withscores=True)
        return [
            record
            for member, since in rows
            if (record := await self._record(member, since)) is not None
        ]

    async def replay(self, records: Sequence[DeliveryRecord] | None = None) -> int:
        """Make failed deliveries (all of them by default) due at once; how many."""
        if records is None:
            members = await self._redis.zrange(key("failed"), 0, -1)
        else:
            members = [record.member for record in records]
        replayed = 0
        for start in range(0, len(members), 500):
            replayed += await self._connection.run("replay", *members[start : start + 500])
        return replayed

    async def _record(self, member: str, since: float) -> DeliveryRecord | None:
        mailbox, id_, lane = member.split("\t", 2)
        snapshot, delivery = await self._redis.hmget(
            key("message", mailbox, id_), ["message", f"d:{lane}"]
        )
        if snapshot is None or delivery is None:
            return None
        message = Message.model_validate_json(snapshot)
        state = Delivery.from_json(delivery)
        route, on = read_lane(lane)
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


def _claimed(claim: Claim) -> tuple[str, str, str, str]:
    return str(claim.mailbox), claim.message_id, claim.lane, claim.token
