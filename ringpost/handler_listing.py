"""What handlers there are, and what options each has, in words for people."""

import inspect
import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AnyUrl, IPvAnyNetwork, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from ringpost.refusal import Refusal
from worker.configuration import Configuration
from worker.handlers.built_in import BUILT_IN
from worker.handlers.contract import ClosingHandler, Step
from worker.handlers.lookup import HandlerClass, find, installed
from worker.handlers.rendering import check_template
from worker.problems import Wrong, nearest, quoted

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    timedelta: "length of time",
    date: "date",
    Path: "path",
    IPvAnyNetwork: "IP address or network",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One name that a step or `use` may have."""

    name: str
    source: Literal["built in", "installed", "configured"]
    use: str
    about: str

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a handler; `default` is None if it has to be given."""

    name: str
    type: str
    default: str | None
    about: str

    def as_dict(self) -> dict[str, str | None]:
        """For `--json`."""
        return asdict(self)


def listed(configuration: Configuration | None) -> Iterator[Listed]:
    """All names: built in, installed, and those of the configuration if there is one."""
    for name in BUILT_IN:
        yield Listed(name, "built in", name, _about(name))
    for name in sorted(installed().keys() - BUILT_IN.keys()):
        yield Listed(name, "installed", name, _about(name))
    tables = configuration.handlers if configuration else {}
    for table in tables.values():
        yield Listed(table.name, "configured", table.use, _about(table.use))


def kind_of(name: str, configuration: Configuration | None) -> tuple[str, HandlerClass]:
    """What a name stands for: the `use` of a configured handler, else the name itself.

    Raises Refusal if nothing does.
    """
    tables = configuration.handlers if configuration else {}
    use = tables[name].use if name in tables else name
    try:
        return use, find(use)
    except Wrong as wrong:
        raise Refusal(f"{quoted(name)} {wrong}") from None


def insist_on_configured(name: str, handlers: Mapping[str, Step], path: Path) -> Step:
    """The configured handler of this name; raises Refusal with the names there are."""
    if name in handlers:
        return handlers[name]
    right = nearest(name, handlers)
    meant = f"did you mean {quoted(right)}? There are" if right else "there are"
    raise Refusal(
        f"{quoted(name)}: {path} has no handler of this name; {meant} {', '.join(sorted(handlers))}"
    )


def about(kind: HandlerClass) -> str:
    """The first sentence that its author wrote on it."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def is_closing(kind: HandlerClass) -> bool:
    """Whether it changes the mailbox itself and stands last."""
    return issubclass(kind, ClosingHandler)


def options(kind: HandlerClass) -> list[Option]:
    """Its options as a configuration spells them, those that have to be given first."""
    found = [_option(name, field) for name, field in kind.model_fields.items()]
    return sorted(found, key=lambda option: option.default is not None)


def _about(use: str) -> str:
    try:
        return about(find(use))
    except Wrong as wrong:
        return f"{quoted(use)} {wrong}"


def _option(name: str, field: FieldInfo) -> Option:
    alias = field.validation_alias
    is_template = any(getattr(one, "func", None) is check_template for one in field.metadata)
    return Option(
        alias if isinstance(alias, str) else name,
        "template" if is_template else _type(field.annotation),
        None if field.is_required() else _default(field.get_default(call_default_factory=True)),
        " ".join((field.description or "").split()),
    )


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(json.dumps(value) for value in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin in {list, tuple, set, frozenset}:
        return f"list of {_type(inner[0])}" if inner else "list"
    if origin is dict or annotation is dict:
        return "table"
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    if not isinstance(annotation, type):
        return "value"
    if issubclass(annotation, SecretStr | SecretBytes):
        return "text, a secret"
    if issubclass(annotation, AnyUrl):
        return "address"
    names = [words for kind, words in _WORDS.items() if issubclass(annotation, kind)]
    return names[0] if names else annotation.__name__


def _default(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s" if value else ""
    if isinstance(value, SecretStr | SecretBytes) or value in (None, "", (), [], {}):
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)
