"""What a client asks before, and tells after, each request so that rate limits are kept."""

from collections.abc import Mapping
from typing import Protocol


class Limits(Protocol):
    """A budget of requests, shared by whoever implements it.

    Operations are our own names ("message-sync", "message-content"); the rate group each belongs
    to is learned from the `X-Rate-Limit-Group` header of its answers.
    Source: https://developers.ringcentral.com/guide/basics/rate-limits
    """

    async def before(self, operation: str) -> None:
        """Wait out a short pause; raise `RateLimited` with `retry_after` for a long one."""

    async def after(self, operation: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; the names of `headers` are matched whatever their case."""


class NoLimits:
    """Limits that hold nothing back: for tools of a few calls, and for tests."""

    async def before(self, operation: str) -> None:
        """Let every request pass."""

    async def after(self, operation: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn nothing."""
