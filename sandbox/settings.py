"""What can be chosen about the emulated RingCentral, with the defaults of the documentation.

This is the one table of the settings: the command line, the control API and docs/sandbox.md are
made of the names, types and sentences here.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

REAL_LIMITS: Mapping[str, int] = MappingProxyType(
    {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
)
"""Requests per user, app and minute as documented.

Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

GENEROUS_LIMITS: Mapping[str, int] = MappingProxyType(dict.fromkeys(REAL_LIMITS, 1_000_000))
SCOPES = "EditMessages ReadAccounts ReadMessages SMS SubscriptionWebhook"


def _read_limits(told: Any) -> Any:
    """Limits as a mapping, as `real`, or as `light=50,medium=40`."""
    if told == "real":
        return dict(REAL_LIMITS)
    if isinstance(told, str):
        return dict(part.partition("=")[::2] for part in told.split(",") if part)
    return dict(told) if isinstance(told, Mapping) else told


AtStart = Field(frozen=True)
Seconds = Annotated[float, Field(ge=0)]
Limits = Annotated[dict[str, Annotated[int, Field(ge=0)]], BeforeValidator(_read_limits)]


class Settings(BaseModel):
    """Where the sandbox listens, whom it lets in and what it answers where the docs leave it open.

    Times are seconds and may be fractions, so that minutes can become seconds. Everything that
    RingCentral documents has the documented value, except the rate limits and the aggregation of
    notifications, which would make a demonstration wait. All may change while it runs, but for
    where it listens and whom it knows.
    """

    model_config = ConfigDict(
        extra="forbid", validate_assignment=True, use_attribute_docstrings=True
    )

    host: Annotated[str, AtStart] = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, AtStart] = 0
    """Port of the API; 0 takes a free one."""
    media_port: Annotated[int, AtStart] = 0
    """Port of attachment contents; 0 takes a free one."""
    extensions: Annotated[int, Field(ge=1, frozen=True)] = 3
    """How many extensions with a mailbox the company has."""
    ids_taken: Annotated[int, AtStart] = 0
    """How many message and attachment ids are passed over: a restarted one must not reuse them."""
    clock_skew: Annotated[float, AtStart] = 0.0
    """How far RingCentral's clock is ahead of this machine's (negative: behind)."""

    client_id: Annotated[str, AtStart] = "sandbox-client-id"
    """App id to accept."""
    client_secret: Annotated[str, AtStart] = "sandbox-client-secret"  # noqa: S105 - made up and meant to be known
    """App secret to accept."""
    jwt: Annotated[str, AtStart] = "sandbox-jwt-credential"
    """User credential to accept."""
    admin: Annotated[bool, AtStart] = True
    """Whether the signed-in user may see the other extensions' mailboxes."""
    scopes: str = SCOPES
    """What the app may do, separated by spaces as in the token's `scope`."""

    jwt_flow: bool = True
    """Whether the app may log in with a JWT; without it the answer is OAU-251."""
    token_lifetime: Seconds = 3600.0
    """How long an access token lives at most; the client may ask for less."""
    refresh_tokens: bool = False
    """Whether the app issues refresh tokens."""
    refresh_token_lifetime: Seconds = 604_800.0
    """How long a refresh token lives."""
    refresh_grace: Seconds = 10.0
    """How long a used refresh token repeats its answer once the new access token was used."""
    unused_grace: Seconds = 3600.0
    """How long a used refresh token repeats its answer while the new access token is not used."""
    max_sessions: int = 5
    """Parallel sessions of one user and app; one more ends the oldest."""

    latency: Seconds = 0.0
    """Added to every API and media call."""
    limits: Limits = Field(default_factory=lambda: dict(GENEROUS_LIMITS))
    """Requests per window by group, such as `light=50,medium=40`, or `real` for the documented."""
    window: Annotated[float, Field(gt=0)] = 60.0
    """In which the limits count."""
    penalty: Seconds | None = None
    """How long a group is refused after one request too many; as long as the window if not set."""
    penalty_restarts: bool = True
    """Whether a request inside a penalty makes it begin anew."""
    retry_after: bool = True
    """Whether a 429 says in `Retry-After` how long its penalty lasts."""
    error_form: Literal["full", "errors-only", "words"] = "full"
    """Old answers repeat the first error at the top level or say a word there, new ones do not."""
    other_mailbox_code: Literal["CMN-419", "CMN-408", "CMN-404"] = "CMN-419"
    """How a call to a mailbox is refused that the user may not see."""
    busy_for: Seconds = 1.0
    """The `Retry-After` of the random failures that have one."""

    aggregation: Seconds = 0.2
    """How long changes of one mailbox gather before they are notified together."""
    new_message_ids: bool = True
    """Whether change notifications carry `newMessageIds`."""
    zero_counts: bool = True
    """Whether change notifications carry counts that are zero."""
    event_ids: Literal["number", "text", "none"] = "number"
    """Captures have numeric ids in change notifications, the schema text; they are optional."""
    event_account: Literal["id", "~"] = "id"
    """How the account stands in a notification's `event`: older captures have `~`."""
    event_times: Literal["Z", "+0000"] = "Z"
    """How a notification's times end: older captures have an offset."""
    message_event_ids: Literal["text", "number"] = "text"
    """Ids in notifications with whole messages: captures have text, the schema numbers."""
    voicemail_word: Literal["VoiceMail", "Voicemail"] = "VoiceMail"
    """How notifications spell the type of a voicemail: the sources differ."""
    verification_header: Literal["Verification-Token", "Validation-Token"] = "Verification-Token"
    """Where a notification carries the verification token: one page of the guide says the other."""
    transcription_event: bool = False
    """Whether a `/voicemail` filter is told again when the transcription is ready."""
    reminder_body: Literal["expiresIn", "subscription", "empty"] = "expiresIn"
    """What a reminder says: no full sample is published."""
    webhook_timeout: Seconds = 3.0
    """How long a subscriber's answer may take."""
    webhook_answer_limit: int = 1024
    """How many bytes a subscriber's answer may have, headers included."""
    notification_tries: Annotated[int, Field(ge=1)] = 1
    """How often a notification is sent before it is given up."""
    notification_pause: Seconds = 30.0
    """How long lies between two of these tries."""
    blacklist_after: Seconds = 600.0
    """How long an address must fail before its subscription is blacklisted."""
    blacklisted_status: Literal["Blacklisted", "Suspended", "Blocked"] = "Blacklisted"
    """The word for it: the sources differ."""
    recover_after: Seconds | None = None
    """How often a blacklisted address is tried again (an engineer said 900); never if not set."""

    max_subscriptions: int = 30
    """Subscriptions of one user and app; one more is SUB-505."""
    subscription_lifetime: int = 604_800
    """The lifetime of a subscription whose `expiresIn` is left out."""
    max_subscription_lifetime: int = 315_360_000
    """A longer `expiresIn` is silently cut to it."""
    forbidden_filter: Literal["refuse", "disable"] = "refuse"
    """Whether a filter on a mailbox the user may not see is SUB-405, or listed as disabled."""

    readable_after: Seconds = 0.0
    """How long a message that was just announced answers 404 when it is read."""
    page_counts: bool = True
    """Whether lists say how many pages and elements there are."""
    whole_seconds: bool = True
    """Whether creation times are cut to the second, as in every published REST sample."""
    sync_range: Seconds = 86_400.0
    """How far a full sync without `dateFrom` reaches back: the guide says a week."""
    sync_overlap: Seconds = 5.0
    """How much an incremental sync repeats."""
    sync_token_lifetime: Seconds = 30 * 86_400.0
    """How long a sync token lives: not published."""
    stale_sync_code: Literal["MSG-333", "CMN-101"] = "MSG-333"
    """How an unknown or expired sync token is refused."""
    sync_surplus: Annotated[int, Field(ge=0)] = 0
    """How many records a full sync gives beyond `recordCount`, which is documented as not exact."""
    rendering_status: int = 404
    """The HTTP status of MSG-368 (a fax is still rendered) is not published."""
    inbox_cap: Annotated[int, Field(ge=1)] | None = None
    """Received faxes and voicemails a mailbox holds (documented: 200); no cap if not set."""
    deleted_for: Seconds = 5 * 86_400.0
    """After how long a deleted message is purged, and a purged one is gone."""
    retention_fixed: bool = False
    """Whether the account's retention may not be changed (HIPAA): 403 ACT-340."""

    @property
    def penalty_length(self) -> float:
        """How long a penalty lasts."""
        return self.window if self.penalty is None else self.penalty

    @classmethod
    def chosen(cls, **choices: Any) -> Self:
        """The defaults but for these; raises ValueError in one line for a person."""
        try:
            return cls(**choices)
        except ValidationError as mistake:
            raise ValueError(in_one_line(mistake, cls.model_fields)) from None

    def change(self, choices: Mapping[str, Any]) -> None:
        """Other choices from now on, all or none; raises ValueError in one line for a person."""
        fixed = [name for name in choices if name in AT_START]
        if fixed:
            raise ValueError(f"{fixed[0]}: can be chosen at the start only")
        changed = self.chosen(**{**self.model_dump(), **choices})
        for name in choices:
            setattr(self, name, getattr(changed, name))


AT_START = frozenset(name for name, info in Settings.model_fields.items() if info.frozen)


def in_one_line(mistake: ValidationError, known: Mapping[str, Any]) -> str:
    """The first thing that is wrong, and the nearest right name of an unknown one."""
    first = mistake.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if name in known:
        return f"{'.'.join(map(str, first['loc']))}: {_what_is_wrong(first)}"
    near = get_close_matches(name, known, n=1)
    return f"unknown: {name!r}" + (f"; do you mean {near[0]!r}?" if near else "")


_EXPECTED = {  # by the first word of pydantic's error types
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "members with values",
}


def _what_is_wrong(found: ErrorDetails) -> str:
    expected = _EXPECTED.get(found["type"].partition("_")[0])
    if expected is None:
        words = found["msg"].replace("Input should be", "must be", 1)
        return f"{words}, not {str(found['input'])[:40]!r}"
    return f"must be {expected}, not {str(found['input'])[:40]!r}"
