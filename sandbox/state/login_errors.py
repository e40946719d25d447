"""Every error on record of the token endpoint, by RingCentral's code.

Source: https://developers.ringcentral.com/guide/basics/errors
"""

from dataclasses import dataclass

from sandbox.answers import OAuthError


@dataclass(frozen=True, slots=True)
class LoginError:
    """One way to refuse a login."""

    code: str
    status: int
    word: str
    message: str

    def error(self) -> OAuthError:
        """The answer that says so."""
        return OAuthError(self.word, self.code, self.message, status=self.status)


LOGIN_ERRORS = {
    error.code: error
    for error in (
        LoginError("OAU-120", 401, "unauthorized_client", "The credential is for another app"),
        LoginError("OAU-125", 401, "unauthorized_client", "The app may not use this grant type"),
        LoginError("OAU-140", 401, "invalid_grant", "Invalid resource owner credentials"),
        LoginError("OAU-141", 401, "access_denied", "Extension state forbids login"),
        LoginError("OAU-142", 401, "access_denied", "Account state forbids login"),
        LoginError("OAU-146", 401, "invalid_client", "Invalid client credentials"),
        LoginError("OAU-147", 400, "access_denied", "Login is locked after failed attempts"),
        LoginError("OAU-148", 400, "access_denied", "Login is locked for the account"),
        LoginError("OAU-153", 400, "invalid_client", "Invalid client"),
        LoginError("OAU-210", 400, "invalid_grant", "Token expired"),
        LoginError("OAU-213", 400, "invalid_grant", "Token not found"),
        LoginError("OAU-232", 400, "invalid_grant", "Extension not found"),
        LoginError("OAU-236", 400, "access_denied", "Extension is disabled or frozen"),
        LoginError("OAU-250", 400, "invalid_request", "Unsupported grant type"),
        LoginError("OAU-251", 400, "unauthorized_client", "Unauthorized for this grant type"),
    )
}
