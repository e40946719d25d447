"""What `ringpost check` finds: one line each, with the remedy where one is needed."""

from dataclasses import asdict, dataclass
from typing import Literal

from ringpost.output import console
from ringpost.plain import in_line

State = Literal["ok", "warn", "fail"]
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it if it is not well."""

    subject: str
    state: State
    words: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding for programs."""
        return asdict(self)

    def show(self) -> None:
        """Print it as one line."""
        from rich.text import Text

        words = f"{self.words}; {self.remedy}" if self.remedy else self.words
        console().print(
            Text.assemble(
                (f"{self.state:<5}", _COLOURS[self.state]),
                (f"{in_line(self.subject)}: ", "bold"),
                in_line(words),
            ),
            soft_wrap=True,
        )


def ok(subject: str, words: str) -> Finding:
    """All is well."""
    return Finding(subject, "ok", words)


def warn(subject: str, words: str, remedy: str = "") -> Finding:
    """It works, but somebody should know."""
    return Finding(subject, "warn", words, remedy)


def fail(subject: str, words: str, remedy: str = "") -> Finding:
    """It does not work."""
    return Finding(subject, "fail", words, remedy)
