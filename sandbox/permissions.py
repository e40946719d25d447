"""What an app and its user may do, and to whose mailbox.

Source: https://developers.ringcentral.com/guide/basics/permissions
"""

from dataclasses import dataclass
from typing import Literal

from sandbox.answers import ApiError, user_permission_missing
from sandbox.settings import Settings
from sandbox.state.users import User

Whose = Literal["user", "app"]
INCLUDED = {
    "EditAccounts": "ReadAccounts",
    "EditMessages": "ReadMessages",
    "Faxes": "ReadMessages",
    "InternalMessages": "ReadMessages",
    "SMS": "ReadMessages",
}

# What an app needs for what a user may do, where the two have different names.
_OF_APP = {
    "OutboundSMS": "SMS",
    "ReadCompanyInfo": "ReadAccounts",
    "ReadExtensions": "ReadAccounts",
    "ReadMessageContent": "ReadMessages",
}


@dataclass(frozen=True, slots=True)
class Denial:
    """A permission that is missing: to whom, and for whose mailbox (None: for all)."""

    permission: str
    to: Whose
    extension_id: str | None = None
    user_id: str | None = None
    """The extension of the user who lacks it; None: every user."""


class Permissions:
    """What the settings grant, less what was denied since."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._denials: set[Denial] = set()

    def deny(self, denial: Denial) -> None:
        """Take a permission away."""
        self._denials.add(denial)

    def grant(self, permission: str) -> None:
        """Give a permission back to everybody."""
        self._denials = {d for d in self._denials if d.permission != permission}

    def clear(self) -> None:
        """Give every permission back."""
        self._denials.clear()

    def scope(self) -> list[str]:
        """What the app may do, as the token says it."""
        denied = {d.permission for d in self._denials if d.to == "app"}
        return [name for name in self._settings.scopes.split() if name not in denied]

    def of_app(self, permission: str | None) -> bool:
        """Whether the app has a permission, if only because it is part of another."""
        scope = self.scope()
        if permission is None or permission in scope:
            return True
        if any(d.to == "app" and d.permission == permission for d in self._denials):
            return False
        return any(INCLUDED.get(name) == permission for name in scope)

    def allow(self, permission: str, user: User, extension_id: str) -> bool:
        """Whether app and user may do what this permission of a user is for."""
        needed = _OF_APP.get(permission, permission)
        return self.of_app(needed) and self.of_user(permission, user, extension_id)

    def of_user(self, permission: str | None, user: User, extension_id: str | None = None) -> bool:
        """Whether a user has a permission, for the extension of this id if one is named."""
        own = user.extension.id
        if extension_id not in (None, own) and not user.admin:
            return False
        return not any(
            d.to == "user"
            and d.permission == permission
            and d.user_id in (None, own)
            and d.extension_id in (None, extension_id)
            for d in self._denials
        )

    def refusal(self, permission: str, user: User, extension_id: str | None) -> ApiError:
        """The 403 for want of a permission of the user."""
        code = self._settings.other_mailbox_code
        if extension_id in (None, user.extension.id) or code == "CMN-408":
            return user_permission_missing(permission)
        if code == "CMN-404":
            message = "Access to the requested extension is not allowed"
            return ApiError(403, code, message, permissionName=permission)
        message = (
            "In order to call this API endpoint, user needs to have"
            f" [{permission}] permission with extended scope"
        )
        return ApiError(403, code, message, permissionName=permission)
