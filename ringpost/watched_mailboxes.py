"""What commands need that look at the mailboxes which workers watch: ledger, logins, handlers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from message_store.mailbox import Mailbox
from ringpost.connection import ledger, logins
from ringpost.refusal import Refusal
from ringpost.surroundings import read_running_configuration, running_settings
from worker.configuration import Configuration
from worker.ledger import Ledger
from worker.logins import Logins
from worker.settings import Settings

_SOME = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """The ledger, a login for each account, and the mailboxes that were asked for."""

    settings: Settings
    configuration: Configuration
    handlers: Mapping[str, object]
    ledger: Ledger
    logins: Logins
    mailboxes: Sequence[Mailbox]


@asynccontextmanager
async def open_watched(names: Sequence[str]) -> AsyncIterator[Watched]:
    """The mailboxes of these names (`account/extension`, or an extension's id or number), or all.

    Raises Refusal for one that is not watched.
    """
    settings = running_settings()
    _, configuration, handlers = read_running_configuration()
    async with ledger() as opened, logins(configuration) as found:
        numbers = {one: number for one, (number, _) in (await opened.extensions.load()).items()}
        mailboxes = _chosen(await opened.mailboxes.watched(), names, numbers)
        by_mailbox = Logins(found, opened.assignments)
        await by_mailbox.refresh()
        yield Watched(settings, configuration, handlers, opened, by_mailbox, mailboxes)


def _chosen(
    watched: Sequence[Mailbox], names: Sequence[str], numbers: Mapping[Mailbox, str | None]
) -> list[Mailbox]:
    if not watched:
        raise Refusal("no mailbox is watched yet; start a worker first", exit_code=1)
    chosen = []
    for name in names:
        meant = [one for one in watched if name in {str(one), one.extension_id, numbers.get(one)}]
        if not meant:
            some = ", ".join(map(str, watched[:_SOME]))
            more = f" and {len(watched) - _SOME} more" if len(watched) > _SOME else ""
            raise Refusal(f"--mailbox {name[:80]}: is not watched; watched are {some}{more}")
        chosen += meant
    return list(dict.fromkeys(chosen)) if names else list(watched)
