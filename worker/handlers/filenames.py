"""Safe names for files and folders made of what strangers sent."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from message_store.message import Attachment
from worker.handlers.media_types import extensions_of, safe_media_type

MAX_BYTES = 150
"""The longest name made here, in UTF-8; file systems end at 255 and temporary names add to it."""

_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
_BLANKS = re.compile(r"\s+")
# Letters and marks that show nothing: fillers, joiners, selectors, the empty Braille cell.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SAFE_ID = re.compile(r"[0-9a-z_-]{1,64}")
# Windows opens devices under these names, whatever the extension.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")
_STEMS = {
    "AudioRecording": "recording",
    "AudioTranscription": "transcription",
    "MmsAttachment": "media",
    "RenderedDocument": "document",
    "SourceDocument": "source",
    "Text": "text",
}


def safe_name(text: str, fallback: str = "unnamed") -> str:
    """A name any file system takes as one plain, visible file: at most 150 bytes, extension kept.

    Letters of any script stay; control, formatting (bidirectional too), private, unassigned and
    invisible characters go; separators and Windows' forbidden characters become `_`.
    """
    text = unicodedata.normalize("NFC", text)
    text = _INVISIBLE.sub("", _BLANKS.sub(" ", text))
    text = "".join(c for c in text if not unicodedata.category(c).startswith("C"))
    text = _BLANKS.sub(" ", _FORBIDDEN.sub("_", text)).strip(" .")
    if not text.strip("_"):
        text = fallback
    # A program that is given `*` takes a name with a dash before it for an option.
    if _DEVICES.match(text) or text.startswith("-"):
        text = f"_{text}"
    return _shorten(text)


def safe_id(text: str) -> str:
    """A path part that stands for exactly this id: itself if it is plain, else marked by a digest.

    Different ids never share a part, even where the file system ignores case.
    """
    if _SAFE_ID.fullmatch(text) and not _DEVICES.match(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    # The point is in no plain id, so that none can be made to look like the mark of another.
    return f"_{re.sub(r'[^0-9A-Za-z_-]', '_', text)[:40]}.{digest}"


def attachment_names(attachments: Sequence[Attachment], taken: Sequence[str] = ()) -> list[str]:
    """One safe name per attachment, unique whatever the case and the order they come in.

    `taken` are names the caller needs for itself. Names that would collide all carry their
    attachment's id, so that a repeat with another order finds the same files.
    """
    names = [_attachment_name(part) for part in attachments]
    counts = Counter(_folded(name) for name in [*names, *taken])
    names = [
        name if counts[_folded(name)] == 1 else _marked(name, safe_id(part.id))
        for name, part in zip(names, attachments, strict=True)
    ]
    seen = {_folded(name) for name in taken}
    for position, name in enumerate(names):
        unique, number = name, 2
        while _folded(unique) in seen:
            unique, number = _marked(name, str(number)), number + 1
        seen.add(_folded(unique))
        names[position] = unique
    return names


def _attachment_name(part: Attachment) -> str:
    known = extensions_of(safe_media_type(part.content_type, part.file_name))
    stem = f"{_STEMS.get(part.type or '', 'attachment')}-{safe_id(part.id)}"
    name = safe_name(part.file_name or "", fallback=stem)
    # The name's end decides what a double click does: it has to agree with the type.
    if known and PurePosixPath(name).suffix.lower() not in known:
        return _shorten(name + known[0])
    return name


def _marked(name: str, mark: str) -> str:
    path = PurePosixPath(name)
    return _shorten(f"{path.stem}-{mark}{path.suffix}", keep=len(mark) + 1)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _shorten(name: str, keep: int = 0) -> str:
    if len(name.encode("utf-8", "replace")) <= MAX_BYTES:
        return name
    path = PurePosixPath(name)
    suffix = path.suffix if len(path.suffix.encode()) <= 12 else ""
    stem = name[: len(name) - len(suffix)]
    mark = stem[len(stem) - keep :] if keep else ""
    room = MAX_BYTES - len((mark + suffix).encode())
    head = stem[: len(stem) - keep].encode()[:room].decode("utf-8", "ignore")
    return head.rstrip(" .") + mark + suffix
