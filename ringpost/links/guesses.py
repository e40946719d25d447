"""A bound on wrong links, so that nobody can try many. No address of a caller is kept for long."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST = 20
WINDOW_SECONDS = 60.0
_REMEMBERED = 10_000


@dataclass
class _Wrong:
    until: float
    count: int = 0


class Guesses:
    """Wrong links by caller: who had 20 within a minute is not listened to until it is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()

    def may_ask(self, caller: str) -> bool:
        """Whether this caller's link is looked at."""
        found = self._found(_network(caller))
        return found is None or found.count < MOST

    def was_wrong(self, caller: str) -> None:
        """Count a link of this caller's that leads nowhere."""
        caller = _network(caller)
        found = self._found(caller)
        if found is None:
            found = self._wrong[caller] = _Wrong(self._clock() + WINDOW_SECONDS)
            if len(self._wrong) > _REMEMBERED:
                self._wrong.popitem(last=False)
        found.count += 1

    def _found(self, caller: str) -> _Wrong | None:
        found = self._wrong.get(caller)
        if found is not None and found.until < self._clock():
            del self._wrong[caller]
            return None
        return found


def caller_of(peer: str, forwarded_for: str) -> str:
    """Who asks: the peer, or whom a proxy in our own network names last."""
    try:
        is_proxy = ipaddress.ip_address(peer).is_private
    except ValueError:
        return peer
    named = forwarded_for.rpartition(",")[2].strip()[:64]
    return named if is_proxy and named else peer


def _network(caller: str) -> str:
    """A household of IPv6 has 2**64 addresses: it is one caller."""
    try:
        address = ipaddress.ip_address(caller)
    except ValueError:
        return caller
    if address.version == 4:
        return caller
    return str(ipaddress.ip_network((address, 64), strict=False))
