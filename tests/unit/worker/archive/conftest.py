"""An archive with a few messages in it, written as the handler writes it."""

from pathlib import Path

import pytest

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.archive import verification
from worker.archive.chain_writer import ChainWriter
from worker.archive.folders import Fault
from worker.archive.layout import folder_of
from worker.archive.verification import verify
from worker.handlers.durable import DurableFolders, Source

MAILBOX = Mailbox("111", "222")


class SmallArchive:
    """An archive, and what is wrong with it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.chains = ChainWriter(root)
        self.folders = DurableFolders(root)

    def keep(self, number: int, day: str = "2025-11-23", mailbox: Mailbox = MAILBOX) -> Path:
        """Archive a fax with one file, and return its folder."""
        message = Message.model_validate(
            {"id": number, "type": "Fax", "creationTime": f"{day}T10:00:00Z"}
        )
        folder = folder_of(self.root, mailbox, message)
        self.commit(folder, number)
        return folder

    def commit(self, folder: Path, number: int) -> None:
        """Write a folder, and a line in the chain for it."""
        wire = f'{{"id": {number}}}'.encode()
        sources = [Source("message.json", "application/json", wire)]
        sources.append(Source("fax.pdf", "application/pdf", b"%PDF" + bytes([number])))
        new = self.folders.write(folder, sources)
        self.chains.record(folder, again=not new)

    @property
    def month(self) -> Path:
        """The month that `keep` writes into."""
        return self.root / "111/222/2025/11"

    @property
    def chain(self) -> Path:
        """Its chain."""
        return self.month / "chain.jsonl"

    def faults(self, **asked: object) -> list[str]:
        """What `verify` says, each fault on a line, paths relative to the month."""
        found: list[Fault] = list(verify(self.root, **asked))  # type: ignore[arg-type]  # passed on
        return [f"{self._name(fault.path)} {fault.what}" for fault in found]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.month if path.is_relative_to(self.month) else self.root))


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
    """Three faxes of one month, the second with a revision."""
    monkeypatch.setattr(verification, "SETTLING_SECONDS", 0)
    small = SmallArchive(tmp_path / "archive")
    small.keep(1)
    second = small.keep(2)
    small.keep(3, "2025-11-24")
    small.commit(second / "revisions/2025-11-25T00-00-00.000Z-read", 2)
    return small
