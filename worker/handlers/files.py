"""`files`: the files of messages in folders of one's own choice, such as one for each sender.

A convenience for people, where `archive` is a record: no message, no manifest, no chain.
"""

import asyncio
import fnmatch
import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr

from message_store.message import Message
from worker.handlers.contract import Context, Handler, PermanentError, TransientError
from worker.handlers.durable import DurableFolders, Source, check_writable
from worker.handlers.filenames import safe_name
from worker.handlers.folder_address import parse_folder
from worker.handlers.rendering import check_template

_PARTS = re.compile(r"(?:\{\{.*?\}\}|\{%.*?%\}|[^/])+", re.DOTALL)
# What a later attempt may find changed: the file would be there twice.
_CHANGING = re.compile(
    r"\b(read_?status|message_?status|availability|last_?modified_?time|delivery_?error_?code|"
    r"fax_?error_?code|vm_?transcription_?status|attachments|is_deleted|files)\b|\{\{\s*message\s*[}|]",
    re.IGNORECASE,
)


def _folder(template: str) -> str:
    check_template(template)
    parts = _PARTS.findall(template)
    if not parts or {".", ".."} & {part.strip() for part in parts}:
        raise ValueError('is no folder below `to`; write such as "{{ message.sender }}"')
    for part in parts:
        try:
            check_template(part)
        except ValueError:
            raise ValueError(f"has a / inside of a block; {part!r} is no template alone") from None
    if found := _CHANGING.search(template):
        raise ValueError(f"{found[0].strip('{}| ')} may change, and the file would be there twice")
    return template


def _destination(text: str) -> str:
    parse_folder(text)
    return text


class Files(Handler):
    """Puts the files of a message into a folder; the same file is there only once."""

    to: Annotated[str, AfterValidator(_destination)]
    """Where: file:///an/absolute/folder, or a path below the working directory."""
    folder: Annotated[str, AfterValidator(_folder)] = "{{ message.sender }}"
    """A template for the folder below it; what a / outside of the braces parts are folders."""
    content_type: list[str] = Field(default=["*"], min_length=1)
    """Only files of these types; * and ? are wildcards: "image/*"."""
    shared: bool = False
    """Whether others may read them, as the worker's umask says; else only the worker's user."""

    _root: Path = PrivateAttr()
    _folders: DurableFolders = PrivateAttr()

    def model_post_init(self, _context: Any) -> None:
        """Resolve the destination once."""
        self._root = parse_folder(self.to)
        self._folders = DurableFolders(self._root, shared=self.shared)

    async def handle(self, message: Message, context: Context) -> str:
        """Put the files there, durable; those that are there already are left alone."""
        parts = _PARTS.findall(self.folder)
        names = [safe_name(context.render(part, message), "unknown") for part in parts]
        folder = self._root.joinpath(*names)
        kept = new = 0
        for file in context.attachments:
            if not any(fnmatch.fnmatchcase(file.content_type, one) for one in self.content_type):
                continue
            source = Source(file.name, file.content_type, await file.content())
            try:
                new += await asyncio.to_thread(partial(self._folders.keep, folder, source))
            except OSError as error:
                raise TransientError(self._words(error)) from error
            kept += 1
        if not kept:
            return "no file to keep"
        there = f", {kept - new} there already" if new < kept else ""
        return f"{new} file{'' if new == 1 else 's'} kept{there}"

    async def check(self) -> str:
        """Try to write there; says how much room is left."""
        try:
            free = await asyncio.to_thread(check_writable, self._root)
        except OSError as error:
            raise PermanentError(self._words(error)) from error
        return f"{self._root} can be written, {free / 1e9:.1f} GB free"

    def _words(self, error: OSError) -> str:
        # not the folder below it: that may be a number
        remedy = "see that this user may write there and has room, or change `to`"
        return f"cannot write to {self._root}: {error.strerror or 'it failed'}; {remedy}"
