"""The emulated companies with all that they hold, and the few ways in which they change."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import Clock, stamp
from sandbox.faults import Faults
from sandbox.limits import Limits
from sandbox.notifications.webhooks import Webhooks
from sandbox.permissions import Permissions
from sandbox.request_log import RequestLog
from sandbox.retention import Retention
from sandbox.samples.content import Content
from sandbox.settings import Settings
from sandbox.state.account import Account, Extension
from sandbox.state.mailboxes import Mailbox
from sandbox.state.messages import (
    FIRST_ATTACHMENT,
    FIRST_MESSAGE,
    STEP,
    Draft,
    DraftAttachment,
    StoredMessage,
    conversation_id,
)
from sandbox.state.subscriptions import Subscriptions
from sandbox.state.sync_tokens import SyncTokens
from sandbox.state.tokens import Tokens
from sandbox.state.users import User, Users

Announce = Callable[[StoredMessage, bool], None]
"""Told of every message that is new (True) or changed (False)."""
AnnounceExtension = Callable[[Extension, str], None]
"""Told of every extension that comes ("Create"), changes ("Update") or goes ("Delete")."""


class Emulator:
    """RingCentral's memory. The API's operations and the Python face both work on it."""

    def __init__(self, settings: Settings, api_url: str, media_url: str) -> None:
        self.settings = settings
        self.api_url = api_url
        self.media_url = media_url
        self.clock = Clock(settings.clock_skew)
        self.announce: Announce = lambda message, new: None
        self.announce_extension: AnnounceExtension = lambda extension, change: None
        self.accounts: dict[str, Account] = {}
        self.mailboxes: dict[str, Mailbox] = {}
        self.users = Users()
        self.account = self.add_account(settings.extensions)
        self.add_user(
            self.account.signed_in,
            admin=settings.admin,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            jwt=settings.jwt,
        )
        self.tokens = Tokens(self.clock, settings)
        self.sync_tokens = SyncTokens(self.clock, settings)
        self.subscriptions = Subscriptions(self.clock)
        self.limits = Limits(self.clock, settings)
        self.permissions = Permissions(settings)
        self.faults = Faults()
        self.requests = RequestLog()
        self.webhooks = Webhooks(settings)
        self._retention = Retention(self)
        self._messages = settings.ids_taken
        self._attachments = settings.ids_taken
        self._where: dict[int, Mailbox] = {}

    def add_account(self, extensions: int) -> Account:
        """One more company with so many extensions."""
        account = Account(self.api_url, self.clock.time(), len(self.accounts))
        self.accounts[account.id] = account
        for _ in range(extensions):
            self.add_extension(account)
        return account

    def add_extension(self, account: Account, **fields: str) -> Extension:
        """One more extension with an empty mailbox."""
        extension = account.add(**fields)
        self.mailboxes[extension.id] = Mailbox()
        self.announce_extension(extension, "Create")
        return extension

    def remove_extension(self, extension: Extension) -> None:
        """An extension is deleted, its mailbox with it."""
        del self.accounts[extension.account_id].extensions[extension.id]
        self.announce_extension(extension, "Delete")

    def add_user(
        self, extension: Extension, *, admin: bool, client_id: str, client_secret: str, jwt: str
    ) -> User:
        """Let an extension sign in with these credentials."""
        user = User(
            client_id=client_id,
            client_secret=client_secret,
            jwt=jwt,
            account=self.accounts[extension.account_id],
            extension=extension,
            admin=admin,
        )
        self.users.add(user)
        return user

    def extension(self, text: str) -> Extension:
        """The extension of this id, extension or phone number, the first company's before others;
        `~` is the signed-in one. Raises LookupError with the numbers there are."""
        for account in self.accounts.values():
            if found := account.find(text):
                return found
        known = ", ".join(e.number for e in self.account.extensions.values())
        raise LookupError(f"no such extension: {text[:40]!r}; there are {known}")

    def find(self, message_id: int) -> StoredMessage | None:
        """A message by its id, in whatever mailbox."""
        mailbox = self._where.get(message_id)
        return mailbox.get(message_id) if mailbox else None

    def store(self, extension: Extension, draft: Draft) -> StoredMessage:
        """Put a message into a mailbox and announce it."""
        now = self.clock.time()
        created = now if draft.created is None else draft.created
        if self.settings.whole_seconds:
            created = float(math.floor(created))
        message_id = FIRST_MESSAGE + self._messages * STEP
        self._messages += 1
        uri = f"{self._extension_path(extension)}/message-store/{message_id}"
        record: dict[str, Any] = {
            "uri": self.api_url + uri,
            "id": message_id,
            "extensionId": extension.id,
            **draft.fields,
            "creationTime": stamp(created),
            "lastModifiedTime": stamp(now),
            "attachments": [],
        }
        if draft.parties:
            conversation = conversation_id(draft.parties)
            record["conversationId"] = conversation
            record["conversation"] = {
                "id": str(conversation),
                "uri": f"{self.api_url}/restapi/v1.0/conversation/{conversation}",
            }
        message = StoredMessage(
            id=message_id,
            extension_id=extension.id,
            record=record,
            contents={},
            created=created,
            modified=now,
            stored=now,
            rendering=draft.rendering,
        )
        for attachment in draft.attachments:
            self._attach(message, attachment)
        mailbox = self.mailboxes[extension.id]
        mailbox.add(message)
        self._where[message_id] = mailbox
        self.announce(message, True)
        self._retention.stored(message)
        return message

    def change(
        self,
        message: StoredMessage,
        fields: Mapping[str, Any],
        attachment: DraftAttachment | None = None,
    ) -> None:
        """Change members of a message, perhaps add an attachment, and announce it."""
        now = self.clock.time()
        # a new record, so that answers and notifications under way keep the old one
        message.record = {
            **message.record,
            **fields,
            "attachments": list(message.record["attachments"]),
            "lastModifiedTime": stamp(now),
        }
        if attachment is not None:
            self._attach(message, attachment)
        if message.availability == "Purged":
            message.contents = {}
            message.record["attachments"] = []
        self.mailboxes[message.extension_id].touch(message, now)
        self.announce(message, False)
        if "availability" in fields:
            self._retention.changed(message)

    def forget(self, message: StoredMessage) -> None:
        """A message is physically removed: not even its id is known any more."""
        self.mailboxes[message.extension_id].remove(message)
        del self._where[message.id]

    def _attach(self, message: StoredMessage, draft: DraftAttachment) -> None:
        content: Content = draft.content
        if message.contents:
            attachment_id = FIRST_ATTACHMENT + self._attachments * STEP
            self._attachments += 1
        else:
            attachment_id = message.id
        path = message.record["uri"].removeprefix(self.api_url)
        named = {"fileName": content.name} if draft.named and content.name else {}
        message.contents[attachment_id] = content
        message.record["attachments"].append(
            {
                "id": attachment_id,
                "uri": f"{self.media_url}{path}/content/{attachment_id}",
                "type": draft.type,
                "contentType": content.content_type or "application/octet-stream",
                **({} if draft.type == "Text" else {"size": content.size}),
                **named,
                **draft.fields,
            }
        )

    def _extension_path(self, extension: Extension) -> str:
        return f"/restapi/v1.0/account/{extension.account_id}/extension/{extension.id}"
