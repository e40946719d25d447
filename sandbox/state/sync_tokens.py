"""Sync tokens: opaque to the client, signed, and carrying the frame of the first sync."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import orjson

from sandbox.answers import ApiError
from sandbox.clock import Clock
from sandbox.settings import Settings
from sandbox.state.selection import Selection

_DIGEST = 12


@dataclass(frozen=True, slots=True)
class SyncState:
    """What a token stands for: a mailbox, when it was synchronised, and within which frame."""

    extension_id: str
    time: float
    frame: Selection


class SyncTokens:
    """Writes and reads tokens; they outlive everything but a `forget`."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._key = secrets.token_bytes(16)

    def write(self, state: SyncState) -> str:
        """The token for a state."""
        body = orjson.dumps([state.extension_id, state.time, state.frame.to_json()])
        return base64.urlsafe_b64encode(self._digest(body) + body).rstrip(b"=").decode()

    def read(self, token: str, extension_id: str) -> SyncState:
        """The state of a token of this mailbox; raises the answer that asks for a full sync."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise self._refusal() from None
        digest, body = raw[:_DIGEST], raw[_DIGEST:]
        if not hmac.compare_digest(digest, self._digest(body)):
            raise self._refusal()
        mailbox, moment, frame = orjson.loads(body)
        age = self._clock.time() - moment
        if mailbox != extension_id or age > self._settings.sync_token_lifetime:
            raise self._refusal()
        return SyncState(mailbox, moment, Selection.from_json(frame))

    def forget(self) -> None:
        """Make every token given so far unknown."""
        self._key = secrets.token_bytes(16)

    def _digest(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._key, digest_size=_DIGEST).digest()

    def _refusal(self) -> ApiError:
        return ApiError(
            400,
            self._settings.stale_sync_code,
            "Parameter [syncToken] is invalid",
            parameterName="syncToken",
        )
