"""Which credentials there are: those of `[[accounts]]`, else those of the environment."""

from pydantic import SecretStr

from message_store.auth import Credentials
from message_store.server import Server

from .account_tables import AccountTable
from .configuration import Configuration
from .logins import Account
from .mailbox_names import OWN
from .settings import Settings


def accounts_of(settings: Settings, configuration: Configuration | None) -> list[Account]:
    """The credentials to act with; those of the environment must be complete if they are used."""
    if configuration is not None and configuration.accounts:
        return [_of_table(table, settings, configuration) for table in configuration.accounts]
    credentials = Credentials(
        settings.rc_client_id or "",
        settings.rc_client_secret or SecretStr(""),
        settings.rc_jwt or SecretStr(""),
    )
    mailboxes = configuration.mailboxes if configuration is not None else (OWN,)
    return [Account("", settings.server, credentials, mailboxes)]


def _of_table(table: AccountTable, settings: Settings, configuration: Configuration) -> Account:
    media = table.media or (settings.rc_media_url if table.server is None else None)
    return Account(
        name=table.name,
        server=Server.of(table.server or settings.rc_server_url, media),
        credentials=Credentials(table.client_id, table.client_secret, table.jwt),
        mailboxes=table.mailboxes or configuration.mailboxes,
    )
