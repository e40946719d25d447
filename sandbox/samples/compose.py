"""What each kind of message looks like in the Message Store, as in the published samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sandbox.samples.content import Content, Generated, InMemory
from sandbox.samples.files import page, picture, tone
from sandbox.state.account import Extension
from sandbox.state.messages import Draft, DraftAttachment

STRANGER = "+16505550199"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall arrive; whatever is left out gets a believable value.

    `sender` and `to` are phone numbers (a pager message's are extension numbers), `created` is
    seconds since the epoch, `rendering` is how often a fax answers that it is not ready yet.
    """

    text: str | None = None
    sender: str | None = None
    sender_name: str | None = None
    to: str | None = None
    direction: str = "Inbound"
    read_status: str = "Unread"
    message_status: str | None = None
    priority: str = "Normal"
    attachments: Sequence[Content] | None = None
    created: float | None = None
    pages: int = 1
    rendering: int = 0
    seconds: int = 1
    transcription: str | None = None
    transcribing: bool = False
    """Whether a voicemail's transcription is still in progress."""
    shared_by: Extension | None = None
    """The queue or group that a shared voicemail or text belongs to."""


def wish_of(members: Mapping[str, Any]) -> Wish:
    """The wish with these members; raises TypeError with the names there are."""
    known = [field.name for field in fields(Wish)]
    if unknown := [name for name in members if name not in known]:
        raise TypeError(f"unknown: {unknown[0]!r}; there are {', '.join(known)}")
    return Wish(**members)


def sms(wish: Wish, owner: Extension) -> Draft:
    """A text message."""
    text = wish.text if wish.text is not None else "Hello, is the office open today?"
    return _text_message("SMS", wish, owner, text, ())


def mms(wish: Wish, owner: Extension) -> Draft:
    """A text message with pictures, two if none are given; RingCentral calls it an SMS."""
    pictures = wish.attachments
    if pictures is None:
        pictures = [
            InMemory(picture(hue=hue), name, "image/png")
            for name, hue in (("morning.png", 60), ("evening.png", 200))
        ]
    text = wish.text if wish.text is not None else "Here are the pictures."
    parts = [
        DraftAttachment(type="MmsAttachment", content=_typed(part, "image/jpeg"), named=True)
        for part in pictures
    ]
    return _text_message("SMS", wish, owner, text, parts)


def pager(wish: Wish, owner: Extension) -> Draft:
    """A message between extensions of the company."""
    text = wish.text if wish.text is not None else "Please call me back when you are free."
    return _text_message("Pager", wish, owner, text, (), party=_colleague)


def fax(wish: Wish, owner: Extension) -> Draft:
    """A fax: its rendered pages as one PDF document."""
    other = wish.sender or STRANGER
    pages = wish.attachments
    if pages is None:
        lines = ["FAX", f"From: {other}", f"To: {owner.phone}", "", wish.text or "Order no. 4711"]
        pages = [InMemory(page(lines, wish.pages), content_type="application/pdf")]
    inbound = wish.direction == "Inbound"
    recipient = {"phoneNumber": wish.to or STRANGER, "messageStatus": _status(wish)}
    return _draft(
        "Fax",
        wish,
        ({"from": _outside(other, wish.sender_name), "subject": wish.to or owner.phone})
        if inbound
        else {"from": {"phoneNumber": owner.phone}, "to": [recipient], "coverIndex": 0},
        {"faxResolution": "High", "faxPageCount": wish.pages},
        [
            DraftAttachment(type="RenderedDocument", content=_typed(part, "application/pdf"))
            for part in pages
        ],
    )


def voicemail(wish: Wish, owner: Extension) -> Draft:
    """A voicemail: its recording, and its transcription if one is given."""
    recording = wish.attachments
    if recording is None:
        recording = [InMemory(tone(wish.seconds), content_type="audio/x-wav")]
    parts = [
        DraftAttachment(
            type="AudioRecording",
            content=_typed(part, "audio/x-wav"),
            fields={"vmDuration": wish.seconds},
        )
        for part in recording
    ]
    if wish.transcription is not None:
        parts.append(transcript(wish.transcription))
    return _draft(
        "VoiceMail",
        wish,
        {
            "from": _outside(wish.sender or STRANGER, wish.sender_name or "Wireless Caller"),
            "to": [{"name": owner.name}],
        },
        {"vmTranscriptionStatus": _transcription_status(wish)},
        parts,
    )


KINDS: dict[str, Callable[[Wish, Extension], Draft]] = {
    "sms": sms,
    "mms": mms,
    "fax": fax,
    "voicemail": voicemail,
    "pager": pager,
}


def _transcription_status(wish: Wish) -> str:
    if wish.transcription is not None:
        return "Completed"
    return "InProgress" if wish.transcribing else "NotAvailable"


def transcript(text: str) -> DraftAttachment:
    """The transcription of a voicemail, as its own attachment."""
    return DraftAttachment(
        type="AudioTranscription", content=InMemory(text.encode(), content_type="text/plain")
    )


def _text_message(
    type_name: str,
    wish: Wish,
    owner: Extension,
    text: str,
    parts: Sequence[DraftAttachment],
    party: Callable[[str, str | None], dict[str, Any]] | None = None,
) -> Draft:
    party = party or _outside
    inside = owner.number if party is _colleague else owner.phone
    outside = "102" if party is _colleague else STRANGER
    own = {**party(inside, None), "name": owner.name}
    if wish.direction == "Inbound":
        other = wish.sender or outside
        target = own if wish.to in (None, inside) else party(wish.to or inside, None)
        people = {"from": party(other, wish.sender_name), "to": [{**target, "target": True}]}
    else:
        other = wish.to or outside
        people = {"from": own, "to": [party(other, None)]}
    extra: dict[str, Any] = {"pgToDepartment": False} if party is _colleague else {}
    text_part = DraftAttachment(
        type="Text", content=InMemory(text.encode(), content_type="text/plain")
    )
    draft = _draft(type_name, wish, people, {"subject": text, **extra}, [text_part, *parts])
    return replace(draft, parties=(owner.id, other))


def owner_json(extension: Extension) -> dict[str, str]:
    """The `owner` member of a message that belongs to this extension."""
    return {
        "extensionId": extension.id,
        "extensionType": extension.type,
        "name": extension.name,
    }


def _draft(
    type_name: str,
    wish: Wish,
    people: dict[str, Any],
    extra: dict[str, Any],
    parts: Sequence[DraftAttachment],
) -> Draft:
    return Draft(
        fields={
            **people,
            "type": type_name,
            "readStatus": wish.read_status,
            "priority": wish.priority,
            "direction": wish.direction,
            "availability": "Alive",
            "messageStatus": _status(wish),
            **extra,
            **({"owner": owner_json(wish.shared_by)} if wish.shared_by else {}),
        },
        attachments=parts,
        created=wish.created,
        rendering=wish.rendering,
    )


def _status(wish: Wish) -> str:
    return wish.message_status or ("Received" if wish.direction == "Inbound" else "Sent")


def _outside(number: str, name: str | None) -> dict[str, Any]:
    named = {"name": name} if name else {}
    located = {"location": "San Mateo, CA"} if number.startswith("+1650") else {}
    return {"phoneNumber": number, **named, **located}


def _colleague(number: str, name: str | None) -> dict[str, Any]:
    return {"extensionNumber": number, **({"name": name} if name else {})}


def _typed(content: Content, usual: str) -> Content:
    if isinstance(content, InMemory | Generated) and not content.content_type:
        return replace(content, content_type=usual)
    return content
