"""What the Python face's parts have in common: the server they speak to."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from sandbox.state.messages import StoredMessage

if TYPE_CHECKING:
    from sandbox.server import Server


class Face(ABC):
    """A part of `RingCentral`, the sandbox as a test sees it."""

    @property
    @abstractmethod
    def server(self) -> "Server":
        """Everything behind the ports."""

    def _find(self, message_id: int | str) -> StoredMessage:
        text = str(message_id)
        found = self.server.emulator.find(int(text)) if text.isdecimal() else None
        if found is None:
            raise LookupError(f"no such message: {message_id}")
        return found
