"""`[[accounts]]`: the credentials of several companies, or of several users of one company."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from message_store.server import Server
from worker.mailbox_names import MailboxNames
from worker.problems import Wrong
from worker.tables import Table


def _name(value: str) -> str:
    if not value.strip() or len(value) > 64 or not value.isprintable() or "/" in value:
        raise Wrong("is no name; write up to 64 characters on one line, without /")
    return value.strip()


def _server(value: str) -> str:
    try:
        Server.of(value)
    except ValueError as error:
        # its words are about the variable of the same meaning
        raise Wrong(str(error).partition(" ")[2]) from None
    return value


def _given(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise Wrong("is empty; write such as ${CLINIC_JWT}")
    return value


Name = Annotated[str, AfterValidator(_name), Field(examples=["clinic"])]
Secret = Annotated[SecretStr, AfterValidator(_given), Field(examples=["${CLINIC_JWT}"])]


class AccountTable(Table):
    """One `[[accounts]]` table: an app, a user of it, and the mailboxes that it is for."""

    name: Name
    client_id: Annotated[str, Field(examples=["${CLINIC_CLIENT_ID}"], min_length=1)]
    client_secret: Secret
    jwt: Secret
    server: Annotated[str, AfterValidator(_server)] | None = None
    media: Annotated[str, AfterValidator(_server)] | None = None
    mailboxes: MailboxNames | None = None


def once_each(tables: Sequence[AccountTable]) -> Sequence[AccountTable]:
    """The tables, if each has a name and credentials of its own; raises Wrong."""
    names = [table.name for table in tables]
    users = [(table.client_id, table.jwt.get_secret_value()) for table in tables]
    for index, table in enumerate(tables):
        if names.index(table.name) != index:
            raise Wrong(f'must have names of their own, and "{table.name}" is there twice')
        if users.index(users[index]) != index:
            other = names[users.index(users[index])]
            raise Wrong(
                f'must have credentials of their own, and "{table.name}" has those of "{other}"; '
                "put the mailboxes of both into one"
            )
    return tables
