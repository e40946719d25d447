"""The users we act as: one for each credential, with a token, a budget and a Message Store."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import aiohttp

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.limits import Limits
from message_store.mailbox import Mailbox
from message_store.server import Server
from message_store.token import TokenStore

from .ledger import Ledger, app_scope, user_scope
from .ledger.assignments import AssignmentLedger
from .ledger.limits import PATIENCE


@dataclass(frozen=True, slots=True)
class Account:
    """A credential as it was configured, and the mailboxes it is for (see `find_mailboxes`)."""

    name: str
    server: Server
    credentials: Credentials
    mailboxes: Sequence[str]

    @property
    def scope(self) -> str:
        """The name under which the ledger keeps what belongs to this user of this app."""
        jwt = self.credentials.jwt.get_secret_value()
        return user_scope(self.credentials.client_id, jwt)


@dataclass(frozen=True, slots=True)
class Login:
    """A credential in use; all processes that use it share its token and its budget."""

    account: Account
    store: MessageStore
    authenticator: Authenticator
    tokens: TokenStore

    @property
    def scope(self) -> str:
        """The name under which the ledger keeps what belongs to this user of this app."""
        return self.account.scope


def log_in(
    account: Account,
    session: aiohttp.ClientSession,
    ledger: Ledger,
    *,
    patience: float = PATIENCE,
) -> Login:
    """A login that shares token and budget through the ledger; nothing is asked yet."""
    limits = ledger.limits(account.scope, patience=patience)
    logins = ledger.limits(app_scope(account.credentials.client_id), patience=patience)
    return log_in_with(account, session, ledger.tokens(account.scope), limits, logins)


def log_in_with(
    account: Account,
    session: aiohttp.ClientSession,
    tokens: TokenStore,
    limits: Limits,
    logins: Limits,
) -> Login:
    """A login with this token and these budgets: the user's, and the app's for tokens."""
    authenticator = Authenticator(session, account.server, account.credentials, tokens, logins)
    store = MessageStore(session, account.server, authenticator, limits)
    return Login(account, store, authenticator, tokens)


def scopes_of(accounts: Iterable[Account]) -> dict[str, str]:
    """Under which scopes their requests are counted, and which account each belongs to."""
    by_app = {app_scope(account.credentials.client_id): account.name for account in accounts}
    return by_app | {account.scope: account.name for account in accounts}


class Logins:
    """All logins, and which of them looks after which mailbox."""

    def __init__(self, logins: Sequence[Login], assignments: AssignmentLedger) -> None:
        self._by_scope = {login.scope: login for login in logins}
        self._assignments = assignments
        self._assigned: dict[Mailbox, str] = {}

    def __iter__(self) -> Iterator[Login]:
        return iter(self._by_scope.values())

    async def refresh(self) -> None:
        """Read anew who looks after what; mailboxes may change hands."""
        self._assigned = await self._assignments.load()

    async def know(self, mailbox: Mailbox) -> None:
        """Read anew who looks after what if this mailbox was given to somebody since."""
        if mailbox not in self._assigned:
            await self.refresh()

    def count(self, login: Login) -> int:
        """How many mailboxes this login looks after."""
        return max(1, sum(scope == login.scope for scope in self._assigned.values()))

    def store_of(self, mailbox: Mailbox) -> MessageStore:
        """The Message Store of the login that looks after a mailbox."""
        return self.of(mailbox).store

    def of(self, mailbox: Mailbox) -> Login:
        """The login that looks after a mailbox; where none is known, one of the same company."""
        scope = self._assigned.get(mailbox)
        if scope not in self._by_scope:
            colleagues = (
                other for other in self._assigned if other.account_id == mailbox.account_id
            )
            scope = self._assigned.get(next(colleagues, mailbox))
        return self._by_scope.get(scope or "") or next(iter(self))
