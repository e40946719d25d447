"""What can go wrong between us and RingCentral, as a tree that says what to do about it."""

# ruff: noqa: N818  # they are named for what happened, which is what a reader needs to know

from typing import ClassVar

DEFAULT_PAUSE = 60.0


class RingCentralError(Exception):
    """A call to RingCentral failed; `transient` says whether the same call may succeed later.

    The text is one line and safe to log: our own words, the status, the error code and the id
    that RingCentral's support asks for. It never holds a token, a number or a body.
    """

    transient: ClassVar[bool] = False

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        parameter: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.parameter = parameter

    def __str__(self) -> str:
        answer = " ".join(str(part) for part in (self.status, self.code) if part is not None)
        request = f"RCRequestId {self.request_id}" if self.request_id else ""
        facts = ", ".join(part for part in (answer, request) if part)
        return f"{self.reason} ({facts})" if facts else self.reason

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class ConnectionFailed(RingCentralError):
    """No whole answer: name not found, refused, TLS, too slow, or broken off."""

    transient = True


class ServerError(RingCentralError):
    """RingCentral answered 5xx."""

    transient = True


class LimitedMode(ServerError):
    """Maintenance (503 CMN-211): reads work, writes do not, possibly for hours.

    Source: https://developers.ringcentral.com/guide/basics/errors
    """


class BadAnswer(RingCentralError):
    """The answer is not JSON, or not of the documented shape, or leads to a foreign host."""

    transient = True


class RateLimited(RingCentralError):
    """Too many requests (429), or a pause of our own; `retry_after` is always set.

    Source: https://developers.ringcentral.com/guide/basics/rate-limits
    """

    transient = True
    retry_after: float

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        parameter: str | None = None,
    ) -> None:
        super().__init__(
            reason, status=status, code=code, request_id=request_id, parameter=parameter
        )
        self.retry_after = DEFAULT_PAUSE if retry_after is None else retry_after


class NotReady(RingCentralError):
    """The content is still being made (MSG-368: a fax that renders)."""

    transient = True


class LoginRefused(RingCentralError):
    """The token endpoint refuses our credentials; an administrator must act."""


class TokenRejected(RingCentralError):
    """A call was answered 401 even with a fresh token."""


class PermissionMissing(RingCentralError):
    """The app or its user may not do this (403); `permission` is its name where it was told."""

    permission: str | None = None


class NotFound(RingCentralError):
    """There is no such message, attachment, extension or subscription."""


class FullSyncRequired(RingCentralError):
    """The sync token is not accepted any more; begin again with a full sync."""


class BadRequest(RingCentralError):
    """RingCentral refuses the request itself (any other 4xx)."""
