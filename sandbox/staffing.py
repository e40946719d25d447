"""The Python face's sentences on who there is: joiners, leavers, more users and companies."""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.emulator import Emulator
from sandbox.face import Face
from sandbox.state.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a program needs to sign in as one user, and whose mailboxes there are."""

    api_url: str
    media_url: str
    client_id: str
    client_secret: str
    jwt: str
    account_id: str
    extension_id: str
    extension_ids: list[str]
    """All extensions of the company when the user was added."""

    @classmethod
    def of(cls, user: User, emulator: Emulator) -> "Credentials":
        """The credentials of a user."""
        return cls(
            api_url=emulator.api_url,
            media_url=emulator.media_url,
            client_id=user.client_id,
            client_secret=user.client_secret,
            jwt=user.jwt,
            account_id=user.account.id,
            extension_id=user.extension.id,
            extension_ids=list(user.account.extensions),
        )

    def environment(self) -> dict[str, str]:
        """The variables that let a program sign in as this user."""
        return {
            "RC_SERVER_URL": self.api_url,
            "RC_MEDIA_URL": self.media_url,
            "RC_CLIENT_ID": self.client_id,
            "RC_CLIENT_SECRET": self.client_secret,
            "RC_JWT": self.jwt,
        }

    def to_json(self) -> dict[str, Any]:
        """The credentials as the control API answers them."""
        return asdict(self)


class Staffing(Face):
    """Lets people and companies come and go."""

    def adds_user(
        self, extension: str | None = None, *, admin: bool = False, same_app: bool = True
    ) -> Credentials:
        """One more user who may sign in: an extension there is, or a new one.

        Users of the same app share the limit of logins; all other limits count for each user.
        """
        emulator = self.server.emulator
        if extension is None:
            who = emulator.add_extension(emulator.account)
        else:
            who = emulator.extension(extension)
        settings = emulator.settings
        new = secrets.token_hex(4)
        user = emulator.add_user(
            who,
            admin=admin,
            client_id=settings.client_id if same_app else f"sandbox-app-{new}",
            client_secret=settings.client_secret if same_app else f"sandbox-secret-{new}",
            jwt=f"sandbox-jwt-{new}",
        )
        return Credentials.of(user, emulator)

    def adds_account(self, extensions: int = 3, *, admin: bool = True) -> Credentials:
        """One more company, with an app of its own; its first extension signs in."""
        emulator = self.server.emulator
        account = emulator.add_account(extensions)
        return self.adds_user(account.signed_in.id, admin=admin, same_app=False)

    async def joins(self, name: str = "", *, type_name: str = "User") -> dict[str, Any]:
        """Somebody joins the company: one more extension, which subscribers are told of."""
        account = self.server.emulator.account
        extension = self.server.emulator.add_extension(account, name=name, type_name=type_name)
        return account.extension_json(extension)

    async def leaves(self, extension: str) -> None:
        """Somebody leaves the company: the extension is deleted, with its mailbox."""
        self.server.emulator.remove_extension(self.server.emulator.extension(extension))

    async def turns(self, extension: str, status: str) -> None:
        """An extension's status becomes Enabled, Disabled, Frozen, ...; subscribers are told."""
        emulator = self.server.emulator
        found = emulator.extension(extension)
        found.status = status
        emulator.announce_extension(found, "Update")
