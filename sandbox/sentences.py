"""Everything that a running sandbox can be told: the one table behind all its faces.

A sentence is a method of the Python face. Its name, parameters and first line are also what the
control API takes under `/sandbox/do`, what `ringpost sandbox do` lists, and what docs/sandbox.md
shows.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError, validate_call

from sandbox.denying import Denying
from sandbox.failing import Failing
from sandbox.notifying import Notifying
from sandbox.receiving import Receiving
from sandbox.settings import in_one_line
from sandbox.staffing import Credentials, Staffing

if TYPE_CHECKING:
    from sandbox.server import Server

_ASKED_ELSEWHERE = ("receives", "refused", "sent_in_penalty")
"""Messages arrive by `/sandbox/messages` with their files; the log is at `/sandbox/requests`."""


class Sentences(Receiving, Failing, Denying, Notifying, Staffing):
    """Every part of the Python face."""


class Told(Sentences):
    """The sentences of a server that runs in this process, for its control API."""

    def __init__(self, server: "Server") -> None:
        self._server = server

    @property
    def server(self) -> "Server":
        """Everything behind the ports."""
        return self._server


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: `name` with hyphens, and the method that it is."""

    name: str
    method: Callable[..., Any]

    @property
    def meaning(self) -> str:
        """What it does, in one line."""
        return (inspect.getdoc(self.method) or "").partition("\n")[0]

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """What it takes, in order."""
        return list(inspect.signature(self.method, eval_str=True).parameters.values())[1:]

    async def say(self, face: Sentences, members: Mapping[str, Any]) -> Any:
        """Do it, and return what is known afterwards as JSON; raises ValueError in one line."""
        try:
            said = validate_call(self.method.__get__(face))(**members)
        except ValidationError as mistake:
            known = {parameter.name: parameter for parameter in self.parameters}
            raise ValueError(in_one_line(mistake, known)) from None
        if inspect.isawaitable(said):
            said = await said
        return said.to_json() if isinstance(said, Credentials) else said


def _all() -> dict[str, Sentence]:
    found: dict[str, Sentence] = {}
    for part in (Failing, Denying, Notifying, Staffing, Receiving):
        for name, method in vars(part).items():
            if name.startswith(("_", *_ASKED_ELSEWHERE)) or not inspect.isfunction(method):
                continue
            spelled = name.replace("_", "-")
            found[spelled] = Sentence(spelled, method)
    return found


SENTENCES = _all()
