"""A call to RingCentral's API, and its answer. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from message_store.errors import BadAnswer
from message_store.parsing import NotJsonError, parse_json, plain_name

JSON = "application/json"
Query = Iterable[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `operation` is our name for it, `path` is below the server, already safe.

    `idempotent` calls are repeated a few times when the connection or the server fails.
    """

    operation: str
    method: str
    path: str
    query: Query = ()
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, read whole."""

    operation: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The document in the body; raises BadAnswer."""
        try:
            return parse_json(self.body)
        except NotJsonError as error:
            raise self.unexpected(f"is {error}") from None

    def json_object(self) -> dict[str, Any]:
        """The object in the body; raises BadAnswer."""
        document = self.json()
        if not isinstance(document, dict):
            raise self.unexpected("is not an object")
        return document

    def unexpected(self, what: str) -> BadAnswer:
        """The error to raise because the answer `what` ("is not an object")."""
        return BadAnswer(
            f"{self.operation}: the answer {what}",
            status=self.status,
            request_id=plain_name(self.headers.get("RCRequestId")),
        )
