"""The Python face's sentences on permissions, logins and tokens."""

from sandbox.face import Face
from sandbox.permissions import Denial, Whose
from sandbox.state.login_errors import LOGIN_ERRORS


class Denying(Face):
    """Takes permissions, sessions and tokens away."""

    def denies(
        self,
        permission: str,
        *,
        to: Whose = "user",
        extension: str | None = None,
        user: str | None = None,
    ) -> None:
        """The user or the app lacks a permission, for the mailbox of `extension` or for all.

        `user` is the extension of the one user who lacks it; without it all users do.
        """
        emulator = self.server.emulator
        denial = Denial(
            permission,
            to,
            extension_id=None if extension is None else emulator.extension(extension).id,
            user_id=None if user is None else emulator.extension(user).id,
        )
        emulator.permissions.deny(denial)

    def grants(self, permission: str) -> None:
        """Everybody has a permission again that was denied."""
        self.server.emulator.permissions.grant(permission)

    def refuses_login(self, code: str) -> None:
        """Every login is refused with this code, such as OAU-147, until `recovers`."""
        if code not in LOGIN_ERRORS:
            raise ValueError(f"unknown code: {code!r}; there are {', '.join(LOGIN_ERRORS)}")
        self.server.emulator.faults.login_refusal = LOGIN_ERRORS[code].error()

    async def revokes_tokens(self) -> None:
        """Every session ends: tokens answer OAU-213."""
        self.server.emulator.tokens.revoke_all()

    async def ends_oldest_session(self) -> None:
        """The oldest session ends, as when its user signs in once too often."""
        self.server.emulator.tokens.end_oldest()

    async def forgets_sync_tokens(self) -> None:
        """Every sync token given so far answers MSG-333."""
        self.server.emulator.sync_tokens.forget()
