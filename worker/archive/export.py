"""Handing on a part of an archive, as mails or as it is.

Each file is compared with its manifest, and each manifest with the chain.
"""

import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
from pydantic import ValidationError

from message_store.message import Message
from worker.archive.eml import as_mail
from worker.archive.folders import (
    Fault,
    Manifest,
    ManifestEntry,
    open_file,
    read_manifest,
    what_is_wrong,
)
from worker.archive.layout import MAIL, MESSAGE, REVISIONS, Archived, revisions
from worker.archive.outputs import Output
from worker.archive.recent_chain import RecentChain
from worker.archive.verification import IN_NO_CHAIN
from worker.handlers.durable import CHUNK, MANIFEST, locked
from worker.handlers.filenames import safe_name
from worker.handlers.media_types import safe_media_type
from worker.handlers.mime import MailFile

Format = Literal["eml", "json"]
_LARGEST_TEXT = 256 * 1024
_LARGEST_MESSAGE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Found:
    """A file that is what the manifest of its folder says; `name` is its name in the export."""

    name: str
    path: Path
    entry: ManifestEntry


async def export(
    messages: Iterable[Archived], form: Format, output: Output
) -> AsyncIterator[Archived | Fault]:
    """Write messages to an output; each one that is written, and what is wrong with it.

    What is not what manifest and chain say is named and left out; what is in no chain is named,
    and what is wrong with the chains. Raises OSError.
    """
    chains = RecentChain()
    for archived in messages:
        # Nothing of the message is removed meanwhile because its time is over.
        with locked(archived.root, shared=True):
            if not archived.folder.is_dir() or chains.has_removed(archived.folder):
                continue  # its time was over a moment ago
            async for one in _export(archived, form, output, chains):
                yield one
    for fault in chains.faults:
        yield fault


async def _export(
    archived: Archived, form: Format, output: Output, chains: RecentChain
) -> AsyncIterator[Archived | Fault]:
    files: list[_Found] = []
    for fault in _look(archived, files, chains):
        yield fault
    name = f"{archived.mailbox}/{archived.day:%Y/%m/%d}/{archived.folder.name}"
    if form == "json":
        for found in files:
            _copy(f"{name}/{found.name}", found, output)
    elif mails := _mails(files):
        for revision, found in mails.items():
            _copy(f"{name}.{revision}.eml" if revision else f"{name}.eml", found, output)
    else:
        message = _read(archived, files)
        if isinstance(message, Fault):
            yield message
            return
        await _write_mail(f"{name}.eml", archived, message, files, output)
    yield archived


def _look(archived: Archived, files: list[_Found], chains: RecentChain) -> Iterable[Fault]:
    """Gather the files of a message and its revisions; what is wrong with those left out."""
    folders = [archived.folder] if archived.has_original else []
    for folder in [*folders, *revisions(archived.folder)]:
        prefix = "" if folder == archived.folder else f"{REVISIONS}/{safe_name(folder.name)}/"
        manifest = read_manifest(folder)
        if isinstance(manifest, Fault):
            yield manifest
            continue
        if what := chains.what_is_wrong(folder, manifest):
            yield Fault(folder / MANIFEST, what)
            if what != IN_NO_CHAIN:
                continue
        for entry in _with_manifest(folder, manifest):
            name = prefix + safe_name(entry.name)
            if what := what_is_wrong(folder / entry.name, entry):
                yield Fault(folder / entry.name, what)
            elif any(name == found.name for found in files):
                yield Fault(folder / entry.name, "has a name that stands for another file as well")
            else:
                files.append(_Found(name, folder / entry.name, entry))


def _with_manifest(folder: Path, manifest: Manifest) -> list[ManifestEntry]:
    size = (folder / MANIFEST).lstat().st_size
    return [*manifest.files, ManifestEntry(name=MANIFEST, size=size, sha256=manifest.sha256)]


def _copy(name: str, found: _Found, output: Output) -> None:
    with os.fdopen(open_file(found.path), "rb") as source, output.open(name) as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)


def _mails(files: Iterable[_Found]) -> dict[str, _Found]:
    """The mails that were archived as such, by revision; none unless all are there."""
    by_name = {found.name: found for found in files}
    folders = [name.removesuffix(MESSAGE) for name in by_name if name.endswith(MESSAGE)]
    mails = {folder: by_name.get(folder + MAIL) for folder in folders}
    return {
        folder.removeprefix(f"{REVISIONS}/").rstrip("/"): mail
        for folder, mail in mails.items()
        if mail is not None and None not in mails.values()
    }


def _read(archived: Archived, files: Iterable[_Found]) -> Message | Fault:
    """The message as it was archived first."""
    for found in files:
        if found.entry.name == MESSAGE:
            try:
                return Message.model_validate(orjson.loads(_content(found, _LARGEST_MESSAGE)))
            except (ValidationError, ValueError):
                return Fault(found.path, "is no message")
    return Fault(archived.folder / MESSAGE, "is not there: no mail can be made")


def _content(found: _Found, most: int) -> bytes:
    with os.fdopen(open_file(found.path), "rb") as file:
        return file.read(most)


async def _write_mail(
    name: str, archived: Archived, message: Message, files: Iterable[_Found], output: Output
) -> None:
    attached = [found for found in files if found.entry.name not in {MESSAGE, MANIFEST}]
    said = next((found for found in attached if _is_transcription(found, message)), None)
    text = _content(said, _LARGEST_TEXT).decode("utf-8-sig", "replace") if said else ""
    mail_files = [
        MailFile(
            found.name.removeprefix(f"{REVISIONS}/").replace("/", "-"),
            _media_type(found),
            found.path,
            found.entry.size,
        )
        for found in attached
    ]
    with output.open(name) as target:
        async for chunk in as_mail(archived, message, text, mail_files).chunks(stuffed=False):
            target.write(chunk)


def _media_type(found: _Found) -> str:
    if found.entry.name == MAIL:  # RFC 2046: a mail in a mail may not be encoded
        return "application/octet-stream"
    return safe_media_type(found.entry.content_type, found.entry.name)


def _is_transcription(found: _Found, message: Message) -> bool:
    media_type = safe_media_type(found.entry.content_type, found.entry.name)
    return message.type == "VoiceMail" and media_type == "text/plain"
