"""An archive in a bucket: the same folders, objects instead of files, the manifest last."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from worker.archive.bucket import Bucket, Listed
from worker.archive.bucket_chain import BucketChains
from worker.archive.buckets import BucketError, TakenError
from worker.archive.chain_writer import ChainWriter, Entry
from worker.archive.layout import REVISIONS
from worker.handlers.durable import (
    MANIFEST,
    MANIFEST_TYPE,
    CommittedOtherwiseError,
    Source,
    chunks_of,
    manifest_of,
    sizes_of,
)
from worker.handlers.durable import Entry as FileEntry

ABANDONED = timedelta(minutes=15)
"""No writer takes longer: what is not committed then has none any more."""


class InBucket:
    """Writes to a bucket, see Destination."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._chains = ChainWriter(Path(), BucketChains(bucket).extend)

    def write(self, folder: Path, sources: Sequence[Source]) -> bool:
        """Commit a folder by its manifest, and add it to its chain."""
        entries = [_entry(source) for source in sources]
        manifest = manifest_of(entries)
        committed = self.read(folder, MANIFEST)
        was_there = committed is not None
        if committed is None:
            for source, entry in zip(sources, entries, strict=True):
                self._put(folder, source, entry)
            try:
                name = f"{folder.as_posix()}/{MANIFEST}"
                self._bucket.create(name, manifest, MANIFEST_TYPE)
            except TakenError:  # another writer was quicker, or an answer was lost on its way
                was_there, committed = True, self.read(folder, MANIFEST)
        committed = committed or manifest
        is_ours = committed == manifest
        new = not was_there or (is_ours and self._mend(folder, sources, entries))
        self._record(folder, committed, again=was_there)
        if not is_ours:
            raise CommittedOtherwiseError
        return new

    def sizes_in(self, folder: Path) -> dict[str, int]:
        """The files of a folder by its manifest."""
        return sizes_of(self.read(folder, MANIFEST) or b'{"files":[]}')

    def read(self, folder: Path, name: str) -> bytes | None:
        """An object of a folder."""
        return self._bucket.read(f"{folder.as_posix()}/{name}")

    def check(self) -> str:
        """List it, and begin an upload that is broken off."""
        self._bucket.check()
        can = "listed" if self._bucket.address.scheme == "az" else "listed and written"
        return f"{self._bucket.address} can be {can}"

    def _put(self, folder: Path, source: Source, entry: FileEntry) -> None:
        name = f"{folder.as_posix()}/{source.name}"
        try:
            self._bucket.create(name, source.content, source.content_type)
        except TakenError:
            # Of an attempt that did not come to the manifest.
            found = self._bucket.find(name)
            if found is None or self._is(found, entry):
                return
            if datetime.now(UTC) - found.modified < ABANDONED:
                raise BucketError(
                    f"{self._bucket.address}/{name}: another attempt may be at work there", False
                ) from None
            self._replace(found, source)

    def _replace(self, found: Listed, source: Source) -> None:
        try:
            self._bucket.replace(found, source.content, source.content_type)
        except TakenError:
            words = f"{self._bucket.address}/{found.name}: another attempt is at work there"
            raise BucketError(words, lasting=False) from None

    def _mend(self, folder: Path, sources: Sequence[Source], entries: Sequence[FileEntry]) -> bool:
        """Put back what is missing or cut short of a committed folder; whether there was any."""
        sizes = {one.name: one for one in self._bucket.below(folder.as_posix())}
        mended = False
        for source, entry in zip(sources, entries, strict=True):
            found = sizes.get(f"{folder.as_posix()}/{source.name}")
            if found is None:
                self._put(folder, source, entry)
            elif found.size != entry.size:
                self._replace(found, source)
            else:
                continue
            mended = True
        return mended

    def _is(self, found: Listed, entry: FileEntry) -> bool:
        return found.size == entry.size and self._bucket.sha256(found.name) == entry.sha256

    def _record(self, folder: Path, manifest: bytes, *, again: bool) -> None:
        parts = folder.parts
        entry = Entry(
            "revision" if REVISIONS in parts[6:] else "archived",
            "/".join(parts[4:]),
            hashlib.sha256(manifest).hexdigest(),
            again=again,
        )
        self._chains.append(Path(*parts[:4]), [entry])


def _entry(source: Source) -> FileEntry:
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks_of(source.content):
        digest.update(chunk)
        size += len(chunk)
    return FileEntry(source.name, size, digest.hexdigest(), source.content_type)
