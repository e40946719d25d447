"""Finds the mailboxes that the configuration names."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from message_store.extension import Extension
from message_store.mailbox import Mailbox

from .mailbox_names import ALL, OWN
from .wording import in_brief

log = structlog.get_logger()

# The types of extensions that have a mailbox worth watching.
# Source: https://developers.ringcentral.com/guide/account/extensions
_TYPES_WITH_MAILBOX = frozenset(
    {
        *("User", "DigitalUser", "VirtualUser", "FaxUser", "FlexibleUser", "Limited"),
        *("Department", "Voicemail", "SharedLinesGroup"),
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """The mailboxes that were named: own, and titles for people (number and name) of the others.

    `unknown` are names that no extension has.
    """

    own: Mailbox
    titles: dict[Mailbox, str]
    unknown: Sequence[str] = ()

    @property
    def mailboxes(self) -> list[Mailbox]:
        """All of them, in order."""
        return sorted(self.titles)

    @property
    def others(self) -> list[Mailbox]:
        """Those of other extensions than the signed-in one."""
        return [mailbox for mailbox in self.mailboxes if mailbox != self.own]


async def find(store: MessageStore, named: Sequence[str]) -> Found:
    """The mailboxes for `~`, extension ids, extension numbers, or `all`.

    Raises RingCentralError if they cannot be found out now.
    """
    own = await store.signed_in()
    titles = {own: "~ (its own)"} if OWN in named else {}
    others = [name for name in named if name != OWN]
    if not others:
        return Found(own, titles)
    try:
        extensions = await store.extensions()
    except PermissionMissing as error:
        if ALL in others:
            raise
        log.warning("extensions cannot be listed, ids are taken as written", reason=str(error))
        extensions = [Extension(id=name) for name in others if name.isdecimal()]
    by_name = {extension.id: extension for extension in extensions}
    by_name |= {e.extension_number: e for e in extensions if e.extension_number}
    unknown = []
    for name in others:
        if name == ALL:
            chosen = [
                extension
                for extension in extensions
                if extension.type in _TYPES_WITH_MAILBOX and extension.status == "Enabled"
            ]
        else:
            chosen = [by_name[name]] if name in by_name else []
            unknown += [] if chosen else [name]
        titles |= {Mailbox(own.account_id, e.id): _title(e) for e in chosen}
    return Found(own, titles, unknown)


async def find_mailboxes(store: MessageStore, named: Sequence[str]) -> list[Mailbox]:
    """The mailboxes of `find`; names that no extension has are logged."""
    found = await find(store, named)
    for name in found.unknown:
        log.error("no such extension", mailbox=name, remedy="correct `mailboxes`")
    return found.mailboxes


def _title(extension: Extension) -> str:
    parts = (extension.extension_number or extension.id, extension.name)
    return in_brief(" ".join(part for part in parts if part))
