"""`if = "..."`: conditions in the Common Expression Language, checked and compiled once.

Names are checked with their types when the file is read. What a message lacks is an empty text, 0
or an empty list. Evaluation is bounded by the library: depth 32, 10,000 turns of `all`, `exists`
and the like, and regular expressions of RE2.
Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

import re
from typing import Any

import structlog
from cel_expr_python import cel

from message_store.message import Message, Party
from worker.facts import Facts, conversation, pages, seconds
from worker.problems import Wrong, check_printable, nearest, one_line

log = structlog.get_logger()

_LONGEST = 2000
_MOST_IN_LIST = 100  # recipients or attachments that an expression sees
_ERROR = re.compile(r".*?ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)", re.DOTALL)
_LITERAL = r"""[rR]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
_MATCHES = re.compile(rf"\.matches\(\s*({_LITERAL})\s*\)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'.*")
_KEPT = "if"
_NOT_CEL = {  # by what the parser says of operators of other languages
    "token recognition error at: '=": "to compare write ==",
    "mismatched input 'and'": "write && for and",
    "mismatched input 'or'": "write || for or",
    "mismatched input 'not'": "write ! for not",
    "extraneous input": "write && or || between two conditions",
}

_TEXT, _NUMBER, _LIST = cel.Type.STRING, cel.Type.INT, cel.Type.List
_TABLES = _LIST(cel.Type.Map(_TEXT, cel.Type.DYN))

VARIABLES: dict[str, Any] = {
    "message.id": _TEXT,
    "message.type": _TEXT,
    "message.direction": _TEXT,
    "message.from.phoneNumber": _TEXT,
    "message.from.extensionNumber": _TEXT,
    "message.from.name": _TEXT,
    "message.to": _TABLES,
    "message.owner.extensionId": _TEXT,
    "message.owner.name": _TEXT,
    "message.conversation": _TEXT,
    "message.text": _TEXT,
    "message.transcription": _TEXT,
    "message.vmTranscriptionStatus": _TEXT,
    "message.pages": _NUMBER,
    "message.duration": _NUMBER,
    "message.attachments": _TABLES,
    "message.readStatus": _TEXT,
    "message.messageStatus": _TEXT,
    "message.priority": _TEXT,
    "message.faxResolution": _TEXT,
    "message.created": cel.Type.TIMESTAMP,
    "extension.id": _TEXT,
    "extension.number": _TEXT,
    "extension.name": _TEXT,
    "at": cel.Type.TIMESTAMP,
}
"""All that an expression can name, with its type."""

_ENVIRONMENT = cel.NewEnv(variables=VARIABLES)


class Expression:
    """One expression; holds for a message that it is true of, not if it cannot be evaluated."""

    cost = 20

    def __init__(self, text: str) -> None:
        self.text = text
        self.failed = 0
        self._program = _compiled(text)

    def __eq__(self, other: object) -> bool:
        """Equal expressions are written alike."""
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        """As equality wants it."""
        return hash(self.text)

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of the message."""
        answer = self.answer(facts)
        if isinstance(answer, bool):
            return answer
        self.failed += 1
        if self.failed == 1:  # without the reason, which may repeat what the message says
            log.error("expression cannot be evaluated, so it does not hold", expression=self.text)
        return False

    def had(self, facts: Facts) -> str:
        """Why it cannot be evaluated for the message, if so."""
        answer = self.answer(facts)
        return "" if isinstance(answer, bool) else answer

    def answer(self, facts: Facts) -> bool | str:
        """What it says of the message, or why it cannot be evaluated."""
        try:
            if _KEPT not in facts.kept:
                facts.kept[_KEPT] = _ENVIRONMENT.Activation(_values(facts))
            answer = self._program.eval(facts.kept[_KEPT])
        except RuntimeError as error:  # what the library raises, whatever it is
            return one_line(str(error))
        value = answer.value()
        if isinstance(value, bool):
            return value
        words = one_line(str(value))
        if answer.type() == cel.Type.ERROR:
            return words.partition(": ")[2] or words  # the name of its status says less
        return f"gives no true or false: {words}"


def _compiled(text: str) -> Any:
    if not text.strip():
        raise Wrong("is empty; write an expression, or leave it out")
    if len(text) > _LONGEST:
        raise Wrong(f"is too long; an expression has {_LONGEST:,} characters at most")
    check_printable(text)
    try:
        program = _ENVIRONMENT.compile(text)
    except RuntimeError as error:
        raise Wrong("is no expression", f": {_said(str(error))}") from None
    kind = program.return_type()
    if kind not in (cel.Type.BOOL, cel.Type.DYN):
        raise Wrong(f"gives {kind.name().lower()}, not true or false; compare it with something")
    for pattern in _MATCHES.findall(text):
        _check_regex(pattern)
    return program


def _check_regex(literal: str) -> None:
    """The library looks at a regular expression only when a message comes."""
    trial = _ENVIRONMENT.compile(f"''.matches({literal})").eval(_ENVIRONMENT.Activation({}))
    if trial.type() == cel.Type.ERROR:
        said = one_line(str(trial.value())).rpartition("expression: ")[2]
        raise Wrong("has a regular expression that is none of RE2", f": {literal}: {said}")


def _said(error: str) -> str:
    found = _ERROR.match(error)
    if not found:
        return one_line(error.partition("\n")[0])
    line, column, words = int(found[1]), int(found[2]), found[3]
    words = words.removeprefix("Syntax error: ").partition(" expecting ")[0]
    words = words.replace("mismatched input '<EOF>'", "it ends in the middle")
    for wrong, remedy in _NOT_CEL.items():
        if wrong in words:
            words = f"{words}; {remedy}"
            break
    if undeclared := _UNDECLARED.fullmatch(words):
        right = nearest(undeclared[1], VARIABLES)
        words = f'"{undeclared[1]}" is not known'
        words += f'; did you mean "{right}"?' if right else ""
    if line < 0:
        return words
    place = f"line {line}, character {column}" if line > 1 else f"character {column}"
    return f"{place}: {words}"


def _values(facts: Facts) -> dict[str, Any]:
    message, known = facts.message, facts.known
    sender, owner = message.from_, message.owner
    return {
        "message.id": message.id,
        "message.type": "MMS" if message.is_mms else message.type or "",
        "message.direction": message.direction or "",
        **{f"message.from.{key}": value for key, value in _party(sender).items()},
        "message.to": [_party(party) for party in message.to[:_MOST_IN_LIST]],
        "message.owner.extensionId": (owner and owner.extension_id) or "",
        "message.owner.name": (owner and owner.name) or "",
        "message.conversation": conversation(message) or "",
        "message.text": message.text,
        "message.transcription": known.transcription,
        "message.vmTranscriptionStatus": message.vm_transcription_status or "",
        "message.pages": pages(message) or 0,
        "message.duration": seconds(message) or 0,
        "message.attachments": _attachments(message),
        "message.readStatus": message.read_status or "",
        "message.messageStatus": message.message_status or "",
        "message.priority": message.priority or "",
        "message.faxResolution": message.fax_resolution or "",
        "message.created": message.created,
        "extension.id": facts.mailbox.extension_id,
        "extension.number": known.extension_number or "",
        "extension.name": known.extension_name or "",
        "at": facts.at,
    }


def _party(party: Party | None) -> dict[str, str]:
    return {
        "phoneNumber": (party and party.phone_number) or "",
        "extensionNumber": (party and party.extension_number) or "",
        "name": (party and party.name) or "",
    }


def _attachments(message: Message) -> list[dict[str, Any]]:
    return [
        {
            "type": part.type or "",
            "contentType": part.content_type or "",
            "fileName": part.file_name or "",
            "size": part.size or 0,
        }
        for part in message.files[:_MOST_IN_LIST]
    ]
