"""Which credentials there are: those of the environment."""

from pydantic import SecretStr

from message_store.auth import Credentials

from .configuration import Configuration
from .logins import Account
from .settings import Settings


def accounts_of(settings: Settings, configuration: Configuration) -> list[Account]:
    """The credentials to act with; they must be complete."""
    credentials = Credentials(
        settings.rc_client_id or "",
        settings.rc_client_secret or SecretStr(""),
        settings.rc_jwt or SecretStr(""),
    )
    return [Account("", settings.server, credentials, configuration.mailboxes)]
