"""The answers: small, JSON by type, and silent about what runs here."""

from aiohttp import web
from multidict import CIMultiDict

_HEADERS = CIMultiDict({"Server": "ringpost", "Content-Type": "application/json"})


def ok(*, body: bytes | None = None, echo: str | None = None) -> web.Response:
    """200, with the token of a handshake sent back in `Validation-Token`."""
    response = web.Response(body=body, headers=_HEADERS)
    if echo is not None:
        response.headers["Validation-Token"] = echo
    return response


def refusal(status: int, reason: str, **headers: str) -> web.Response:
    """An error with a few words on why. The connection is closed: who errs has no claim on it."""
    response = web.Response(
        status=status, body=b'{"error":"%s"}' % reason.encode(), headers={**_HEADERS, **headers}
    )
    response.force_close()
    return response
