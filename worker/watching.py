"""Finds the mailboxes that the configuration names."""

from collections.abc import Sequence

import structlog

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from message_store.mailbox import Mailbox

log = structlog.get_logger()

# The types of extensions that have a mailbox worth watching.
# Source: https://developers.ringcentral.com/guide/account/extensions
_TYPES_WITH_MAILBOX = frozenset(
    {
        *("User", "DigitalUser", "VirtualUser", "FaxUser", "FlexibleUser", "Limited"),
        *("Department", "Voicemail", "SharedLinesGroup"),
    }
)
_SIGNED_IN = "~"
_ALL = "all"


async def find_mailboxes(store: MessageStore, named: Sequence[str]) -> list[Mailbox]:
    """The mailboxes for `~`, extension ids, extension numbers, or `all`.

    Raises RingCentralError if they cannot be found out now.
    """
    own = await store.signed_in()
    found = {own} if _SIGNED_IN in named else set()
    others = [name for name in named if name != _SIGNED_IN]
    if not others:
        return sorted(found)
    try:
        extensions = await store.extensions()
    except PermissionMissing as error:
        if _ALL in others:
            raise
        log.warning("extensions cannot be listed, ids are taken as written", reason=str(error))
        return sorted(found | {Mailbox(own.account_id, name) for name in others})
    by_number = {extension.extension_number: extension.id for extension in extensions}
    for name in others:
        if name == _ALL:
            found |= {
                Mailbox(own.account_id, extension.id)
                for extension in extensions
                if extension.type in _TYPES_WITH_MAILBOX and extension.status == "Enabled"
            }
        else:
            found.add(Mailbox(own.account_id, by_number.get(name) or name))
    return sorted(found)
