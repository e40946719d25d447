"""The access token that all processes share, and where they keep it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

MARGIN_SECONDS = 60.0
MARGIN_SHARE = 0.1


class Token(BaseModel):
    """An access token with its lifetime; `model_dump_json` gives all of it, so keep that safe.

    Times are seconds of our own clock. Lifetimes are those that RingCentral told, never constants.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    access_token: str = Field(min_length=1, pattern=r"^[\x21-\x7e]+$", repr=False)
    expires_at: float = Field(allow_inf_nan=False)
    expires_in: float = Field(gt=0, allow_inf_nan=False)
    refresh_token: str | None = Field(default=None, repr=False)
    owner_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    scope: str = ""

    @property
    def margin(self) -> float:
        """How long before its end it is renewed: a tenth of its lifetime, at most a minute."""
        return min(MARGIN_SECONDS, self.expires_in * MARGIN_SHARE)

    def serves(self, now: float, rejected: str | None = None) -> bool:
        """Whether it may still be presented: not about to expire and not the rejected one."""
        return self.access_token != rejected and now < self.expires_at - self.margin

    def is_young(self, now: float) -> bool:
        """Whether it was obtained only just now, so that a rejection is no matter of age."""
        return now < self.expires_at - self.expires_in + self.margin


class Refusal(BaseModel):
    """A login that was refused: nobody who shares the store tries again before `until`.

    `until` is in seconds of our own clock, `in_row` counts refusals without a login between them.
    `credentials` is a fingerprint of what was refused: corrected credentials are tried at once.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    until: float = Field(allow_inf_nan=False)
    credentials: str
    in_row: int = 1
    reason: str
    status: int | None = None
    code: str | None = None
    request_id: str | None = None


class TokenStore(Protocol):
    """Where the processes that act for one user of one app keep their common token."""

    async def load(self) -> Token | None:
        """The token kept, or None."""

    async def save(self, token: Token) -> None:
        """Keep this token instead of any other."""

    async def drop(self, access_token: str) -> None:
        """Forget the token kept, if it is this one."""

    async def refusal(self) -> Refusal | None:
        """The refusal of the last login, None if it was not refused."""

    async def set_refusal(self, refusal: Refusal | None) -> None:
        """Keep what `refusal` tells."""

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Held by the one process that logs in."""


class MemoryTokenStore:
    """A store for one process: tools and tests."""

    def __init__(self) -> None:
        self._token: Token | None = None
        self._refusal: Refusal | None = None
        self._lock = asyncio.Lock()

    async def load(self) -> Token | None:
        """The token kept, or None."""
        return self._token

    async def save(self, token: Token) -> None:
        """Keep this token instead of any other."""
        self._token = token

    async def drop(self, access_token: str) -> None:
        """Forget the token kept, if it is this one."""
        if self._token and self._token.access_token == access_token:
            self._token = None

    async def refusal(self) -> Refusal | None:
        """The refusal of the last login, None if it was not refused."""
        return self._refusal

    async def set_refusal(self, refusal: Refusal | None) -> None:
        """Keep what `refusal` tells."""
        self._refusal = refusal

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Held by the one task that logs in."""
        return self._lock
