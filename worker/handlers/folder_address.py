"""A folder as the configuration names it."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_HALF_AN_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9]*:/")


def parse_folder(text: str) -> Path:
    """The folder of `file:///an/absolute/folder`, or of a path below the working directory.

    Raises ValueError in words.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        if not text.strip():
            raise ValueError("empty; write a folder such as file:///srv/messages")
        if text.startswith("~") or _HALF_AN_ADDRESS.match(text):
            raise ValueError(f"{text} would be below the working directory; write file:///a/folder")
        return Path(text).absolute()
    if scheme.lower() != "file":
        raise ValueError(f"{scheme}:// is no folder; write file:///an/absolute/folder")
    address = urlsplit(text)
    if address.netloc not in {"", "localhost"} or not address.path.startswith("/"):
        raise ValueError(
            f"file:// with a host ({address.netloc}); write file:///an/absolute/folder, "
            "or a plain path for one below the working directory"
        )
    return Path(unquote(address.path))
