"""Holds what a process has claimed whose event loop stands still, from a thread beside it."""

from collections.abc import Iterable

from redis import Redis

from .connection import script_text
from .leases import HOLD_ON, Held
from .records import Claim


class BlockingHold:
    """Its calls block, so none of them belongs on an event loop."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
        self._renew = self._redis.register_script(script_text("renew_claims"))
        self._hold_on = self._redis.register_script(HOLD_ON)
        self._lease_seconds = lease_seconds

    def renew(self, claims: Iterable[Claim], leases: Iterable[Held] = ()) -> None:
        """Hold these claims and leases for as long again; raises LedgerError."""
        held = [part for claim in claims for part in (claim.token, claim.member)]
        if held:
            self._renew(keys=[], args=[self._lease_seconds, *held])
        for lease in leases:
            self._hold_on(keys=[lease.key], args=lease[1:])

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()
