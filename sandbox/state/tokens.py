"""Sessions and their tokens: five per user and app, the oldest goes when a sixth begins.

Source: https://developers.ringcentral.com/guide/authentication/tokens
"""

import secrets
from dataclasses import dataclass

from sandbox.answers import ApiError, OAuthError
from sandbox.clock import Clock
from sandbox.settings import Settings
from sandbox.state.users import User

_PREFIX = "U1BCMDFUMDRKV1MwMXxz"


@dataclass(slots=True)
class Session:
    """One login: its present tokens, and the refresh token that led to them."""

    id: str
    user: User
    access_token: str
    expires_at: float
    refresh_token: str | None
    refresh_expires_at: float
    used_refresh_token: str | None = None
    used_refresh_until: float = 0.0
    used: bool = False

    @property
    def owner(self) -> tuple[str, str]:
        """The extension and the app whose session it is."""
        return self.user.extension.id, self.user.client_id


class Tokens:
    """All sessions, found by their tokens."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._settings = settings
        self._sessions: list[Session] = []

    def open(self, user: User, lifetime: float) -> Session:
        """A new session; the oldest of the same user and app ends if there are too many."""
        now = self._clock.time()
        refresh = _new_token() if self._settings.refresh_tokens else None
        session = Session(
            id=secrets.token_hex(16),
            user=user,
            access_token=_new_token(),
            expires_at=now + lifetime,
            refresh_token=refresh,
            refresh_expires_at=now + self._settings.refresh_token_lifetime,
        )
        same = [s for s in self._sessions if s.owner == session.owner]
        surplus = max(0, len(same) + 1 - self._settings.max_sessions)
        for oldest in same[:surplus]:
            self._sessions.remove(oldest)
        self._sessions.append(session)
        return session

    def refresh(self, client_id: str, refresh_token: str, lifetime: float) -> Session:
        """The session with new tokens; the old refresh token answers the same for a short while."""
        now = self._clock.time()
        for session in self._sessions:
            if session.user.client_id != client_id:
                continue
            if session.refresh_token == refresh_token and session.refresh_expires_at > now:
                session.used_refresh_token = refresh_token
                session.used_refresh_until = now + self._settings.unused_grace
                session.access_token = _new_token()
                session.refresh_token = _new_token()
                session.expires_at = now + lifetime
                session.used = False
                return session
            if session.used_refresh_token == refresh_token and session.used_refresh_until > now:
                return session
        raise OAuthError("invalid_grant", "OAU-213", "Token not found")

    def authenticate(self, access_token: str) -> Session:
        """The session of an access token; raises the 401 answer."""
        now = self._clock.time()
        for session in self._sessions:
            if session.access_token == access_token:
                if session.expires_at <= now:
                    raise ApiError(401, "OAU-128", "Access token expired")
                if not session.used:
                    session.used = True
                    session.used_refresh_until = now + self._settings.refresh_grace
                return session
        if not access_token.startswith(_PREFIX):
            raise ApiError(401, "OAU-149", "Unparsable access token")
        raise ApiError(401, "OAU-213", "Token not found")

    def revoke(self, token: str) -> None:
        """End the session that this access or refresh token belongs to, if any."""
        self._sessions = [
            s for s in self._sessions if token not in (s.access_token, s.refresh_token)
        ]

    def end_oldest(self) -> None:
        """End the session that began first, as when somebody signs in for the sixth time."""
        del self._sessions[:1]

    def revoke_all(self) -> None:
        """End every session, as when the user's password was changed."""
        self._sessions.clear()

    def __len__(self) -> int:
        return len(self._sessions)


def _new_token() -> str:
    return _PREFIX + secrets.token_urlsafe(24)
