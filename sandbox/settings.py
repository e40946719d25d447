"""What can be chosen about the emulated RingCentral, with the defaults of the documentation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

REAL_LIMITS: Mapping[str, int] = MappingProxyType(
    {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
)
"""Requests per user, app and minute as documented.

Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

GENEROUS_LIMITS: Mapping[str, int] = MappingProxyType(dict.fromkeys(REAL_LIMITS, 1_000_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the sandbox listens, whom it lets in and what it answers where the docs leave it open.

    Times are seconds. Everything that RingCentral documents has the documented value, except the
    rate limits and the aggregation of notifications, which would make a demonstration wait.
    """

    host: str = "127.0.0.1"
    port: int = 0
    media_port: int = 0

    client_id: str = "sandbox-client-id"
    client_secret: str = "sandbox-client-secret"  # noqa: S105 - made up and meant to be known
    jwt: str = "sandbox-jwt-credential"
    extensions: int = 3
    ids_taken: int = 0
    """How many message and attachment ids are passed over: a restarted one must not reuse them."""
    admin: bool = True
    """Whether the signed-in user may see the other extensions' mailboxes."""

    jwt_flow: bool = True
    """Whether the app may log in with a JWT; without it the answer is OAU-251."""
    token_lifetime: int = 3600
    refresh_tokens: bool = False
    refresh_token_lifetime: int = 604_800
    max_sessions: int = 5

    latency: float = 0.0
    """Added to every API and media call."""
    limits: Mapping[str, int] = field(default_factory=lambda: GENEROUS_LIMITS)
    """Requests per window by group; a group that is left out has no limit to speak of."""
    window: float = 60.0
    """Both the window of the limits and the length of their penalty."""
    error_form: Literal["full", "errors-only"] = "full"
    """Older answers repeat the first error at the top level, newer ones may not."""

    aggregation: float = 0.2
    """How long changes of one mailbox gather before they are notified together."""
    new_message_ids: bool = True
    event_ids: Literal["number", "text"] = "number"
    """Captures have numeric ids in change events, the schema has text."""
    webhook_timeout: float = 3.0
    webhook_answer_limit: int = 1024
    blacklist_after: float = 600.0
    max_subscriptions: int = 30

    whole_seconds: bool = True
    """Whether creation times are cut to the second, as in every published REST sample."""
    sync_range: float = 86_400.0
    sync_overlap: float = 5.0
    sync_token_lifetime: float = 30 * 86_400.0
    stale_sync_code: Literal["MSG-333", "CMN-101"] = "MSG-333"
    rendering_status: int = 404
    """The HTTP status of MSG-368 is not published."""
