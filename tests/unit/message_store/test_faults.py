"""Which error each failed answer means."""

from typing import Any

import orjson
import pytest

from message_store.calls import Answer
from message_store.errors import (
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
from message_store.faults import Fault, error_of, read_fault


def listed(code: str, **extra: str) -> dict[str, Any]:
    """An error body of the newer kind: nothing at the top level."""
    return {"errors": [{"errorCode": code, "message": "Secret text +12025550143", **extra}]}


def doubled(code: str, word: str | None = None, **extra: str) -> dict[str, Any]:
    """An error body of the older kind: the first error again, or a word, at the top level."""
    return {"errorCode": word or code, "message": "Secret text", **listed(code, **extra), **extra}


CASES: list[tuple[int, Any, type[RingCentralError], str | None]] = [
    (400, doubled("CMN-101", "InvalidParameter", parameterName="dateTo"), BadRequest, "CMN-101"),
    (400, listed("CMN-106"), BadRequest, "CMN-106"),
    (400, doubled("MSG-333"), FullSyncRequired, "MSG-333"),
    (400, listed("MSG-333", parameterName="syncToken"), FullSyncRequired, "MSG-333"),
    (400, listed("CMN-101", parameterName="syncToken"), FullSyncRequired, "CMN-101"),
    (400, listed("CMN-102", parameterName="messageId"), NotFound, "CMN-102"),
    (400, listed("SUB-521"), BadRequest, "SUB-521"),
    (400, listed("MSG-368"), NotReady, "MSG-368"),
    (401, listed("OAU-213"), TokenRejected, "OAU-213"),
    (401, doubled("OAU-128", "TokenExpired"), TokenRejected, "OAU-128"),
    (401, {"errorCode": "TokenInvalid"}, TokenRejected, "TokenInvalid"),
    (401, b"", TokenRejected, None),
    (403, doubled("CMN-408", permissionName="ReadMessages"), PermissionMissing, "CMN-408"),
    (403, listed("CMN-401"), PermissionMissing, "CMN-401"),
    (403, listed("SUB-405"), PermissionMissing, "SUB-405"),
    (403, listed("SUB-505"), BadRequest, "SUB-505"),
    (403, b"<html>Forbidden</html>", PermissionMissing, None),
    (404, doubled("CMN-102", parameterName="messageId"), NotFound, "CMN-102"),
    (404, {"errorCode": "AGW-404", "errors": []}, NotFound, "AGW-404"),
    (404, listed("MSG-368"), NotReady, "MSG-368"),
    (404, listed("SUB-507"), NotFound, "SUB-507"),
    (408, b"", ConnectionFailed, None),
    (410, b"", NotFound, None),
    (416, listed("CMN-107"), BadRequest, "CMN-107"),
    (429, doubled("CMN-301"), RateLimited, "CMN-301"),
    (429, b"", RateLimited, None),
    (500, listed("CMN-203"), ServerError, "CMN-203"),
    (500, listed("MSG-352"), ServerError, "MSG-352"),
    (502, b"<html><h1>Bad Gateway</h1></html>", ServerError, None),
    (503, listed("CMN-201"), ServerError, "CMN-201"),
    (503, listed("CMN-211"), LimitedMode, "CMN-211"),
    (503, doubled("CMN-211", "MaintenanceMode"), LimitedMode, "CMN-211"),
    (503, {"errorCode": "MaintenanceMode"}, LimitedMode, "MaintenanceMode"),
    (503, listed("MSG-368"), NotReady, "MSG-368"),
    (200, listed("MSG-368"), NotReady, "MSG-368"),
    (200, b"hello", BadAnswer, None),
    (302, b"", BadAnswer, None),
    (0, None, BadAnswer, None),
]


def _body(body: Any) -> bytes:
    return body if isinstance(body, bytes) else orjson.dumps(body)


@pytest.mark.parametrize(("status", "body", "kind", "code"), CASES)
def test_the_error_that_an_answer_means(
    status: int, body: Any, kind: type[RingCentralError], code: str | None
) -> None:
    """Status and code decide; the error carries both and the request's id, in one safe line."""
    error = error_of("message-list", status, {"RCRequestId": "abc-1"}, read_fault(_body(body)))
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "abc-1")
    text = str(error)
    assert text.startswith("message-list: ")
    assert "abc-1" in text
    assert (code or "") in text
    assert "\n" not in text
    assert "Secret" not in text + repr(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'"text"',
        b"\xff\xfe",
        b'{"errors": null}',
        b'{"errors": []}',
        b'{"errors": {}}',
        b'{"errors": [5]}',
        b'{"errors": [{"errorCode": 5}]}',
        b'{"errorCode": {"a": 1}}',
        b'{"errorCode": "two\\nlines"}',
        b"[" * 100_000,
    ],
)
def test_bodies_of_any_shape_are_understood(body: bytes) -> None:
    """A body that says nothing usable leaves the status to decide."""
    error = error_of("x", 400, {}, read_fault(body))
    assert type(error) is BadRequest
    assert error.code is None


def test_the_missing_permission_is_named() -> None:
    """A 403 says which permission it wants, and what to do."""
    fault = read_fault(_body(doubled("CMN-408", permissionName="ReadMessages")))
    error = error_of("message-list", 403, {}, fault)
    assert isinstance(error, PermissionMissing)
    assert error.permission == "ReadMessages"
    assert "ReadMessages" in str(error)
    assert "role" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0.5", "X-Rate-Limit-Window": "60"}, 0.5),
        ({"X-Rate-Limit-Group": "light", "X-Rate-Limit-Window": "3"}, 3),
        ({}, 60),
        ({"Retry-After": "nan"}, 60),
        ({"Retry-After": "-5"}, 60),
        ({"Retry-After": "soon"}, 60),
        (
            {
                "Date": "Mon, 02 Mar 2026 09:00:00 GMT",
                "Retry-After": "Mon, 02 Mar 2026 09:00:45 GMT",
            },
            45,
        ),
        (
            {
                "Date": "Mon, 02 Mar 2026 09:00:00 GMT",
                "Retry-After": "Mon, 02 Mar 2026 08:00:00 GMT",
            },
            0,
        ),
    ],
)
def test_how_long_to_pause_after_too_many_requests(headers: dict[str, str], seconds: float) -> None:
    """What the server asks for, else its window, else a minute; dates by the server's clock."""
    error = error_of("x", 429, headers, read_fault(b""))
    assert error.retry_after == seconds


def test_what_is_transient() -> None:
    """What may pass by itself is tried again later; what needs a person is not."""
    passing = {ConnectionFailed, ServerError, LimitedMode, RateLimited, NotReady, BadAnswer}
    for _, _, kind, _ in CASES:
        assert kind.transient is (kind in passing)


def test_a_rate_limit_always_says_how_long() -> None:
    """Without a time of its own it is a minute."""
    assert RateLimited("pause").retry_after == 60
    assert RateLimited("pause", retry_after=2).retry_after == 2


@pytest.mark.parametrize("odd", ["\udcff", "a b", "x" * 65, ""])
def test_a_request_id_is_repeated_only_if_it_is_one(odd: str) -> None:
    """Also of an answer that is well but not understood."""
    answer = Answer("message", 200, {"RCRequestId": odd}, b"<html>")
    assert answer.unexpected("is odd").request_id is None
    assert error_of("message", 500, {"RCRequestId": odd}, Fault()).request_id is None
    named = Answer("message", 200, {"RCRequestId": "6d9a-1"}, b"<html>")
    assert named.unexpected("is odd").request_id == "6d9a-1"
