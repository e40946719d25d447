"""Finds the mailboxes that the configuration names."""

from collections.abc import Sequence

import structlog

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from message_store.extension import Extension
from message_store.mailbox import Mailbox

from .configuration import ALL, OWN

log = structlog.get_logger()

# The types of extensions that have a mailbox worth watching.
# Source: https://developers.ringcentral.com/guide/account/extensions
_TYPES_WITH_MAILBOX = frozenset(
    {
        *("User", "DigitalUser", "VirtualUser", "FaxUser", "FlexibleUser", "Limited"),
        *("Department", "Voicemail", "SharedLinesGroup"),
    }
)


async def find_mailboxes(store: MessageStore, named: Sequence[str]) -> list[Mailbox]:
    """The mailboxes for `~`, extension ids, extension numbers, or `all`; unknown ones are logged.

    Raises RingCentralError if they cannot be found out now.
    """
    own = await store.signed_in()
    found = {own} if OWN in named else set()
    others = [name for name in named if name != OWN]
    if not others:
        return sorted(found)
    try:
        extensions = await store.extensions()
    except PermissionMissing as error:
        if ALL in others:
            raise
        log.warning("extensions cannot be listed, ids are taken as written", reason=str(error))
        extensions = [Extension(id=name) for name in others if name.isdecimal()]
    by_name = {extension.id: extension.id for extension in extensions}
    by_name |= {e.extension_number: e.id for e in extensions if e.extension_number}
    for name in others:
        if name == ALL:
            found |= {
                Mailbox(own.account_id, extension.id)
                for extension in extensions
                if extension.type in _TYPES_WITH_MAILBOX and extension.status == "Enabled"
            }
        elif name in by_name:
            found.add(Mailbox(own.account_id, by_name[name]))
        else:
            log.error("no such extension", mailbox=name, remedy="correct `mailboxes`")
    return sorted(found)
