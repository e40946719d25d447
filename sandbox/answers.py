"""How the sandbox answers: JSON bodies, and refusals in RingCentral's two error forms."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

JSON_TYPE = "application/json; charset=UTF-8"
BATCH_TYPE = "application/vnd.ringcentral.multipart+json"


def json_answer(body: Any, status: int = 200, content_type: str = JSON_TYPE) -> web.Response:
    """A JSON answer, encoded once and compactly."""
    return web.Response(
        body=orjson.dumps(body), status=status, headers={"Content-Type": content_type}
    )


WORDS: Mapping[str | int, str] = {
    "CMN-101": "InvalidParameter",
    "CMN-211": "MaintenanceMode",
    "OAU-128": "TokenExpired",
    401: "TokenInvalid",
}
"""What the oldest answers have at the top level in place of the code."""


class ApiError(Exception):
    """An error answer of the API, raised anywhere below the gateway.

    Source: https://developers.ringcentral.com/guide/basics/errors
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: str,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra

    def body(self, form: str = "full") -> dict[str, Any]:
        """The error as JSON, in one of the forms of `Settings.error_form`."""
        error = {"errorCode": self.code, "message": self.message, **self.extra}
        if self.code == "AGW-404":
            return {**error, "errors": []}
        if form == "errors-only":
            return {"errors": [error]}
        word = WORDS.get(self.code, WORDS.get(self.status, self.code))
        return {**error, "errors": [error], **({"errorCode": word} if form == "words" else {})}


class OAuthError(ApiError):
    """An error answer of the token endpoint, with OAuth's members beside RingCentral's."""

    def __init__(
        self,
        error: str,
        code: str,
        message: str,
        *,
        status: int = 400,
        parameters: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status, code, message)
        self.error = error
        self.parameters = [
            {"parameterName": name, "parameterValue": value} for name, value in parameters
        ]

    def body(self, form: str = "full") -> dict[str, Any]:
        """The error as JSON; the OAuth members are always there."""
        error: dict[str, Any] = {"errorCode": self.code, "message": self.message}
        if self.parameters:
            error["parameters"] = self.parameters
        return {"error": self.error, "errors": [error], "error_description": self.message}


def invalid(parameter: str) -> ApiError:
    """400 CMN-101: a parameter that cannot be understood or is not allowed."""
    message = f"Parameter [{parameter}] value is invalid"
    return ApiError(400, "CMN-101", message, parameterName=parameter)


def not_found(parameter: str) -> ApiError:
    """404 CMN-102: the id named by this parameter does not exist."""
    message = f"Resource for parameter [{parameter}] is not found"
    return ApiError(404, "CMN-102", message, parameterName=parameter)


def too_many(parameter: str, limit: int) -> ApiError:
    """400 CMN-106: more ids than one call may carry."""
    message = f"Parameter [{parameter}] exceeds the limit of {limit} values"
    return ApiError(400, "CMN-106", message, parameterName=parameter)


def user_permission_missing(permission: str) -> ApiError:
    """403 CMN-408: the user's role does not grant this permission."""
    message = (
        f"In order to call this API endpoint, user needs to have [{permission}] permission"
        " for requested resource."
    )
    return ApiError(403, "CMN-408", message, permissionName=permission)


def app_permission_missing(permission: str) -> ApiError:
    """403 CMN-401: the app lacks this permission."""
    message = (
        f"In order to call this API endpoint, application needs to have [{permission}] permission"
    )
    return ApiError(403, "CMN-401", message, permissionName=permission)
