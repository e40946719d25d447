"""How tests make what looks after subscriptions."""

from collections.abc import Callable

import aiohttp
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.limits import NoLimits
from message_store.server import Server
from message_store.token import MemoryTokenStore
from worker.logins import Account, Login
from worker.subscriptions import Subscriptions

TOKEN = "first0verification0token"
OTHER_TOKEN = "second0verification0token"

Make = Callable[..., Subscriptions]


class Nameless(Account):
    """The account of a test that has only one."""

    @property
    def scope(self) -> str:
        return ""


def login_with(store: MessageStore, session: aiohttp.ClientSession) -> Login:
    """A login for all mailboxes with this Message Store."""
    server = Server.of("http://localhost")
    credentials = Credentials("", SecretStr(""), SecretStr(""))
    tokens = MemoryTokenStore()
    unused = Authenticator(session, server, credentials, tokens, NoLimits())
    account = Nameless("", server, credentials, ("all",))
    return Login(account, store, unused, tokens)
