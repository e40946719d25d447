"""Holds what a process has whose event loop stands still, from a thread beside it."""

from collections.abc import Iterable

from redis import Redis

from .connection import script_text
from .leases import Lease
from .records import Claim

# One that was given back a moment ago is not taken again: nobody would give it back.
_LONGER = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"
)


class BlockingHold:
    """Its calls block, so none of them belongs on an event loop."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
        self._renew = self._redis.register_script(script_text("renew_claims"))
        self._longer = self._redis.register_script(_LONGER)
        self._lease_seconds = lease_seconds

    def renew(self, claims: Iterable[Claim], leases: Iterable[Lease] = ()) -> None:
        """Hold these claims for another lease, and named leases; raises LedgerError."""
        held = [part for claim in claims for part in (claim.token, claim.member)]
        if held:
            self._renew(keys=[], args=[self._lease_seconds, *held])
        for lease in leases:
            self._longer(keys=[lease.key], args=[lease.token, lease.milliseconds])

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
