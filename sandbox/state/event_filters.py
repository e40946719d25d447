"""Event filters: what a subscription wants to hear of, parsed from their address form.

Source: https://developers.ringcentral.com/guide/notifications/event-filters
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from sandbox.answers import ApiError
from sandbox.state.messages import StoredMessage

_PATH = re.compile(
    r"/restapi/v1\.0/(?:"
    r"account/(?P<account>[^/?]+)(?:/(?:(?P<list>extension)(?:/(?P<extension>[^/?]+)"
    r"(?:/(?P<resource>message-store/instant|message-store|voicemail|fax|presence\S*))?)?"
    r"|a2p-sms/\S+|message-threads/\S+))?"
    r"|(?P<reminder>subscription/~)|glip/\S+)"
)
REMINDER = "reminder"
EXTENSION_LIST = "extension-list"
EXTENSION = "extension"
_NEEDS = {
    "message-store": "ReadMessages",
    "message-store/instant": "ReadMessages",
    "voicemail": "ReadMessages",
    "fax": "ReadMessages",
    EXTENSION_LIST: "ReadAccounts",
    EXTENSION: "ReadAccounts",
}
_MESSAGE_TYPES = {"fax": "Fax", "voicemail": "VoiceMail", "pager": "Pager", "sms": "SMS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """One filter. `kind` is its resource ("message-store", "extension-list", ...) or "reminder";
    it is empty for what the sandbox accepts and never tells of.

    `text` is its address with the real ids, which is also the `event` of its notifications.
    """

    text: str
    kind: str
    account: str | None = None
    extension: str | None = None
    message_type: str | None = None
    direction: str | None = None
    threshold: int = 0
    interval: int = 0

    @classmethod
    def parse(cls, text: str) -> "EventFilter":
        """Read a filter as the client wrote it; raises the SUB-508 answer."""
        path, _, query = text.partition("?")
        found = _PATH.fullmatch(path)
        if found is None:
            raise ApiError(400, "SUB-508", f"Event filters [{text[:200]}] are invalid")
        members = dict(parse_qsl(query))
        if found["reminder"]:
            return cls(
                text=text,
                kind=REMINDER,
                threshold=_seconds(members.get("threshold")),
                interval=_seconds(members.get("interval")),
            )
        wanted = members.get("type")
        return cls(
            text=text,
            kind=found["resource"] or _kind_of_extensions(found),
            account=found["account"],
            extension=found["extension"],
            message_type=_MESSAGE_TYPES.get(wanted.lower(), wanted) if wanted else None,
            direction=members.get("direction"),
        )

    def expanded(self, account_id: str, extension_id: str) -> "EventFilter":
        """With the caller's real ids in place of `~`; a reminder keeps its own."""
        if self.kind == REMINDER:
            return self
        text = self.text.replace("/account/~", f"/account/{account_id}", 1)
        text = text.replace("/extension/~", f"/extension/{extension_id}", 1)
        return replace(
            self,
            text=text,
            account=account_id if self.account == "~" else self.account,
            extension=extension_id if self.extension == "~" else self.extension,
        )

    @property
    def needs(self) -> str | None:
        """The permission that it takes."""
        return _NEEDS.get(self.kind)

    @property
    def tells_messages(self) -> bool:
        """Whether its notifications are about messages."""
        return self.needs == "ReadMessages"

    def tells_extension(self, account_id: str, extension_id: str) -> bool:
        """Whether it is about this extension coming, changing or going."""
        if self.account != account_id:
            return False
        return self.kind == EXTENSION_LIST or (
            self.kind == EXTENSION and self.extension == extension_id
        )

    def matches(self, message: StoredMessage, *, new: bool) -> bool:
        """Whether a message that is new or changed is of interest."""
        record = message.record
        if self.kind == "message-store":
            return self.message_type in (None, record["type"]) and self.direction in (
                None,
                record["direction"],
            )
        if not new or record["direction"] != "Inbound":
            return False
        kinds = {"message-store/instant": "SMS", "voicemail": "VoiceMail", "fax": "Fax"}
        return kinds.get(self.kind) == str(record["type"])


def _kind_of_extensions(found: re.Match[str]) -> str:
    if found["extension"]:
        return EXTENSION
    return EXTENSION_LIST if found["list"] else ""


def _seconds(text: str | None) -> int:
    if text is None or not text.isdecimal() or int(text) < 1:
        raise ApiError(400, "SUB-516", "Reminder parameters are invalid")
    return int(text)
