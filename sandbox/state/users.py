"""Who may sign in: the users with their credentials, and the apps they belong to."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.state.account import Account, Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user of one app: an extension that signs in with a JWT."""

    client_id: str
    client_secret: str
    jwt: str
    account: Account
    extension: Extension
    admin: bool
    """Whether the user may see the mailboxes of the account's other extensions."""

    @property
    def key(self) -> str:
        """Under which name the user's requests are counted: per app and user."""
        return f"{self.client_id}/{self.extension.id}"


class Users:
    """All users of all accounts."""

    def __init__(self) -> None:
        self._users: list[User] = []

    def __iter__(self) -> Iterator[User]:
        return iter(self._users)

    def add(self, user: User) -> None:
        """One more user."""
        self._users.append(user)

    def knows_app(self, client_id: str, client_secret: str) -> bool:
        """Whether there is an app with this id and secret."""
        known = ((user.client_id, user.client_secret) for user in self._users)
        return (client_id, client_secret) in known

    def with_jwt(self, jwt: str) -> User | None:
        """Whose credential this is."""
        return next((user for user in self._users if user.jwt == jwt), None)
