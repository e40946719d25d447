"""From a failed answer of any shape to the error it means. Pure.

Codes are looked for in `errors[0]` first, then at the top level, because older answers put a word
there. Texts are localised and may hold private data: they are neither branched on nor repeated.
Source: https://developers.ringcentral.com/guide/basics/errors
"""

from collections.abc import Mapping
from dataclasses import dataclass

from message_store.errors import (
    DEFAULT_PAUSE,
    BadAnswer,
    BadRequest,
    ConnectionFailed,
    FullSyncRequired,
    LimitedMode,
    NotFound,
    NotReady,
    PermissionMissing,
    RateLimited,
    RingCentralError,
    ServerError,
    TokenRejected,
)
from message_store.parsing import NotJsonError, parse_json, parse_seconds, plain_name, retry_after

_REMEDIES = {
    "CMN-401": "add the permission to the app in the developer console",
    "CMN-402": "the user must be an administrator",
    "CMN-404": "the user may not read other extensions",
    "CMN-408": "give the user's role this permission",
    "CMN-419": "the user's role must cover other extensions",
    "SUB-405": "the user may not read messages of other extensions",
    "SUB-406": "the extension belongs to another account",
    "SUB-528": "add the app permission Webhook Subscriptions in the developer console",
}
_REFUSALS = {
    "SUB-505": "all 30 subscriptions of this user and app are in use",
    "SUB-520": "WEBHOOK_URL did not return the validation token",
    "SUB-521": "WEBHOOK_URL cannot be reached from the internet",
    "SUB-522": "WEBHOOK_URL did not answer 200",
    "SUB-523": "WEBHOOK_URL must begin with https://",
    "SUB-524": "the certificate of WEBHOOK_URL is not valid (is its chain complete?)",
    "SUB-525": "WEBHOOK_URL answered more than 1024 bytes or not as application/json",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says, as far as it is safe to repeat."""

    code: str | None = None
    word: str | None = None
    parameter: str | None = None
    permission: str | None = None

    @classmethod
    def of(cls, document: object) -> "Fault":
        """Read a parsed error body; anything that is not one says nothing."""
        if not isinstance(document, dict):
            return cls()
        listed = document.get("errors")
        first = listed[0] if isinstance(listed, list) and listed else {}
        first = first if isinstance(first, dict) else {}

        def told(name: str) -> str | None:
            return plain_name(first.get(name)) or plain_name(document.get(name))

        word = plain_name(document.get("error")) or plain_name(document.get("errorCode"))
        return cls(told("errorCode") or word, word, told("parameterName"), told("permissionName"))


def read_fault(body: bytes) -> Fault:
    """What an error body says: JSON of any shape, an HTML page, or nothing."""
    try:
        return Fault.of(parse_json(body))
    except NotJsonError:
        return Fault()


def error_of(
    operation: str, status: int, headers: Mapping[str, str], fault: Fault
) -> RingCentralError:
    """The error that an answer means; `operation` begins its text."""
    kind, words = _kind(status, fault)
    error = kind(
        f"{operation}: {words}",
        status=status,
        code=fault.code,
        request_id=plain_name(headers.get("RCRequestId")),
        retry_after=_pause(headers) if kind is RateLimited else retry_after(headers),
        parameter=fault.parameter,
    )
    if isinstance(error, PermissionMissing):
        error.permission = fault.permission
    return error


def _kind(status: int, fault: Fault) -> tuple[type[RingCentralError], str]:
    if fault.code == "MSG-368":
        return NotReady, "the content is not ready yet"
    if status == 429:
        return RateLimited, "too many requests"
    if status == 401:
        return TokenRejected, "the access token is not accepted"
    if status == 408:
        return ConnectionFailed, "RingCentral waited too long for the request"
    if status >= 500:
        if "CMN-211" in (fault.code, fault.word) or fault.word == "MaintenanceMode":
            return LimitedMode, "RingCentral is in maintenance and takes no changes"
        return ServerError, "RingCentral has a fault"
    if 400 <= status < 500:
        return _refusal(status, fault)
    return BadAnswer, "the answer is not of the documented shape"


def _refusal(status: int, fault: Fault) -> tuple[type[RingCentralError], str]:
    code = fault.code or ""
    if code == "MSG-333" or (code == "CMN-101" and fault.parameter == "syncToken"):
        return FullSyncRequired, "the sync token is not accepted any more"
    if code in _REFUSALS:
        return BadRequest, _REFUSALS[code]
    if status in {404, 410} or code in {"CMN-102", "SUB-507"}:
        return NotFound, f"not found{f': {fault.parameter}' if fault.parameter else ''}"
    if status == 403:
        missing = f" {fault.permission}" if fault.permission else ""
        remedy = _REMEDIES.get(code, "check the app's permissions and the user's role")
        return PermissionMissing, f"permission{missing} is missing; {remedy}"
    return BadRequest, f"refused{f' because of {fault.parameter}' if fault.parameter else ''}"


def _pause(headers: Mapping[str, str]) -> float:
    # Without Retry-After one window is enough; without that, the guide asks for at least 30 s.
    if (asked := retry_after(headers)) is not None:
        return asked
    return parse_seconds(headers.get("X-Rate-Limit-Window")) or DEFAULT_PAUSE
