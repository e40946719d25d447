"""Media types that are safe to hand on: a declared one is a claim by a stranger."""

import re
from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"

# What RingCentral sends and takes (https://developers.ringcentral.com/guide/basics/media), the
# usual extension first.
_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "application/gzip": (".gz", ".tgz"),
    "application/msword": (".doc",),
    "application/pdf": (".pdf",),
    "application/rtf": (".rtf",),
    "application/vnd.ms-excel": (".xls",),
    "application/vnd.ms-powerpoint": (".ppt",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/zip": (".zip",),
    "audio/amr": (".amr",),
    "audio/mp4": (".m4a", ".mp4"),
    "audio/mpeg": (".mp3", ".mpga"),
    "audio/ogg": (".ogg", ".oga"),
    "audio/wav": (".wav",),
    "image/bmp": (".bmp",),
    "image/gif": (".gif",),
    "image/heic": (".heic",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/tiff": (".tiff", ".tif"),
    "image/webp": (".webp",),
    "text/csv": (".csv",),
    "text/plain": (".txt", ".text", ".log"),
    "text/vcard": (".vcf",),
    "video/3gpp": (".3gp",),
    "video/mp4": (".mp4", ".m4v"),
    "video/mpeg": (".mpeg", ".mpg"),
    "video/quicktime": (".mov",),
}
_BY_EXTENSION = {
    extension: media_type
    for media_type, extensions in reversed(_EXTENSIONS.items())
    for extension in extensions
} | {".mp4": "video/mp4"}
_OTHER_NAMES = {
    "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf",
    "audio/mp3": "audio/mpeg",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "image/jpg": "image/jpeg",
    "image/tif": "image/tiff",
    "text/rtf": "application/rtf",
    "text/x-vcard": "text/vcard",
}
# Kinds that can be shown or played but not run; SVG is a program in a picture's clothes.
_HARMLESS = re.compile(r"(audio|video|image)/(?!svg)[a-z0-9][a-z0-9.+-]{0,60}")


def safe_media_type(declared: str | None, file_name: str | None = None) -> str:
    """The media type to label a file with: known or harmless, without parameters, else octets.

    Without a declared type, that of the file name's extension. A harmless type that is not known
    counts only with its own name as the extension: nothing else ties the two together.
    """
    media_type = (declared or "").partition(";")[0].strip().lower()
    media_type = _OTHER_NAMES.get(media_type, media_type)
    if media_type in _EXTENSIONS:
        return media_type
    extension = PurePosixPath(file_name or "").suffix.lower()
    if media_type in {"", UNKNOWN}:
        return _BY_EXTENSION.get(extension, UNKNOWN)
    if not _HARMLESS.fullmatch(media_type):
        return UNKNOWN
    own = media_type.partition("/")[2].removeprefix("x-")
    return media_type if extension in {"", f".{own}"} else UNKNOWN


def extensions_of(media_type: str) -> tuple[str, ...]:
    """The file name extensions of a media type, the usual one first; empty if unknown."""
    return _EXTENSIONS.get(media_type, ())
