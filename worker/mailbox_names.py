"""How a configuration names mailboxes: `~`, an extension's number or id, or `all`."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from worker.numbers import e164
from worker.problems import Wrong, in_words

ALL = "all"
"""The entry of `mailboxes` that stands for every mailbox the signed-in user may read."""

OWN = "~"
"""The entry of `mailboxes` that stands for the signed-in extension."""


def _list(value: object) -> object:
    if value == ALL:
        return (ALL,)
    if not isinstance(value, list | tuple):
        raise Wrong(f'must be a list such as ["~"], or "all", not {in_words(value)}')
    if not value:
        raise Wrong('must name at least one mailbox; "~" is the signed-in extension')
    if ALL in value and len(value) > 1:
        raise Wrong('must be a list of mailboxes or "all", not both')
    return value


def _name(value: str) -> str:
    text = value.strip()
    if text in {ALL, OWN} or re.fullmatch(r"[0-9]{1,20}", text):
        return text
    if e164(text):
        raise Wrong("is a phone number; write the extension's number or id instead")
    raise Wrong('is no mailbox; write "~", or an extension\'s number or id')


def _once_each(mailboxes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mailboxes))


MailboxNames = Annotated[
    tuple[Annotated[str, AfterValidator(_name)], ...],
    BeforeValidator(_list, json_schema_input_type=Literal["all"] | tuple[str, ...]),
    AfterValidator(_once_each),
]
