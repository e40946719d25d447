"""What a client asks before, and tells after, each request so that rate limits are kept."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from message_store.errors import DEFAULT_PAUSE, RateLimited
from message_store.parsing import parse_seconds, retry_after

NO_ANSWER = 0
"""The status told to `Limits.after` when a request was sent, or begun, and nothing came back."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one request, once `Limits.before` has returned.

    `operation` is our own name for it ("message-sync", "message-content"); the rate group it
    belongs to is learned from its answers. `mailbox` is whose work it is ("" for nobody's), so
    that one mailbox does not use up what others need; `bulk` work comes after live work.
    """

    operation: str
    mailbox: str = ""
    bulk: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(8))


class Limits(Protocol):
    """A budget of requests, shared by whoever implements it.

    Source: https://developers.ringcentral.com/guide/basics/rate-limits
    """

    async def before(self, permit: Permit) -> None:
        """Wait out a short pause; raise `RateLimited` with `retry_after` for a long one."""

    async def after(self, permit: Permit, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; the names of `headers` are matched whatever their case."""


class LocalLimits:
    """The limits of a process that shares them with nobody, such as a tool on its own machine.

    A group is left alone for one window when all but one of its requests are used up, and for as
    long as a 429 asks. `patience` (seconds): a longer wait is RateLimited.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._groups: dict[str, str] = {}
        self._paused_until: dict[str, float] = {}

    async def before(self, permit: Permit) -> None:
        """Wait out a short pause; raise `RateLimited` with `retry_after` for a long one."""
        group = self._groups.get(permit.operation, permit.operation)
        left = self._paused_until.get(group, 0.0) - time.monotonic()
        if left > self._patience:
            raise RateLimited(
                f"{permit.operation} waits for its turn within RingCentral's rate limit",
                retry_after=left,
            )
        await asyncio.sleep(max(0.0, left))

    async def after(self, permit: Permit, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; the names of `headers` are matched whatever their case."""
        group = headers.get("X-Rate-Limit-Group") or permit.operation
        self._groups[permit.operation] = group
        pause = parse_seconds(headers.get("X-Rate-Limit-Window")) or DEFAULT_PAUSE
        if status == 429:
            asked = retry_after(headers)
            pause = pause if asked is None else asked
        elif headers.get("X-Rate-Limit-Remaining") not in {"0", "1"}:
            return
        self._paused_until[group] = time.monotonic() + pause


class NoLimits:
    """Limits that hold nothing back: for tests."""

    async def before(self, permit: Permit) -> None:
        """Let every request pass."""

    async def after(self, permit: Permit, status: int, headers: Mapping[str, str]) -> None:
        """Learn nothing."""
