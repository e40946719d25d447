"""A folder as the configuration names it."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


def parse_folder(text: str) -> Path:
    """The folder of `file:///an/absolute/folder`, or of a path below the working directory.

    Raises ValueError in words.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        if not text.strip():
            raise ValueError("empty; write a folder such as file:///srv/messages")
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
