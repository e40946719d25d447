"""Tables of the configuration file: the strict model they share, and what is wrong with one."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    SecretBytes,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails

from worker.as_written import as_written
from worker.problems import Wrong, in_words, nearest, quoted, remedy

Path = tuple[str | int, ...]

_SECRET_KEY = re.compile(r"pass|secret|token|key|jwt|credential", re.IGNORECASE)
_AT_THE_TOP = {"mailboxes", "include"}  # what is written below a table belongs to that table
_EXPECTED = {  # by the first word of pydantic's error types
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "dict": "a table",
    "model": "a table",
    "path": "a path",
    "url": "an address such as https://example.com/",
}


class Table(BaseModel):
    """A table of the configuration file: no key but those it knows, spelled as in the file.

    `meant` are its keys by other words that people write for them.
    """

    meant: ClassVar[Mapping[str, str]] = {}

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=False,
        use_attribute_docstrings=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        return as_written(handler(source))


class Finding(NamedTuple):
    """Something wrong: the keys that lead to it, and why in words with the remedy."""

    path: Path
    words: str


def findings(
    error: ValidationError, model: type[BaseModel], written: Mapping[str, Any]
) -> Iterator[Finding]:
    """What pydantic found, in plain words, once per place.

    `written` is the table as it stands in the file, before `${NAME}` was replaced: only values
    from there are repeated, and none of a field that keeps a secret.
    """
    found: dict[Path, str] = {}
    meant: set[Path] = set()  # keys that are there under a wrong name, and so not missing
    for detail in error.errors(include_url=False):
        path, value = _follow(detail, written)
        table, field = _described(path, model)
        if detail["type"] == "extra_forbidden":
            key = str(path[-1])
            right = _other_word(key, table) or nearest(key, spellings(table))
            meant.add((*path[:-1], right or ""))
        # a union complains once for each of its members
        found.setdefault(path, _words(detail, value, _is_secret(path, field), table, field))
    for path, words in found.items():
        if path not in meant or _stands(path, written):
            yield Finding(path, words)


def spellings(table: type[BaseModel]) -> list[str]:
    """The keys of a table as the file spells them."""
    return [_spelling(name, field) for name, field in table.model_fields.items()]


def _spelling(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _follow(detail: ErrorDetails, written: Mapping[str, Any]) -> tuple[Path, Any]:
    """The part of pydantic's location that the file has, and what stands there."""
    value: Any = written
    path: Path = ()
    for step in detail["loc"]:
        if isinstance(value, Mapping) and step in value:
            value, path = value[str(step)], (*path, step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value, path = value[step], (*path, step)
        elif isinstance(value, Mapping) and detail["type"] == "missing":
            return (*path, step), None
    # a default may be wrong too, and does not stand in the file
    return path or detail["loc"][:1], value if path else None


def _stands(path: Path, written: Any) -> bool:
    for step in path:
        if isinstance(written, Mapping) and step not in written:
            return False
        written = written[step]
    return True


def _described(path: Path, model: type[BaseModel]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model of the table that holds the last key of the path, and that key's field."""
    field: FieldInfo | None = None
    for step in path:
        if isinstance(step, str):
            if field is not None:
                inner = _models(field.annotation)
                if not inner:
                    return model, field  # inside a plain dict
                model = inner[0]
            field = {_spelling(name, info): info for name, info in model.model_fields.items()}.get(
                step
            )
            if field is None:
                break
    return model, field


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _is_secret(path: Path, field: FieldInfo | None) -> bool:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    return bool(_SECRET_KEY.search(key)) or (field is not None and _keeps_secret(field.annotation))


def _keeps_secret(annotation: Any) -> bool:
    return annotation in {SecretStr, SecretBytes} or any(map(_keeps_secret, get_args(annotation)))


def _words(
    detail: ErrorDetails,
    value: object,
    secret: bool,
    table: type[BaseModel],
    field: FieldInfo | None,
) -> str:
    kind = detail["type"]
    if kind == "missing":
        if field is None or not field.examples:
            return "is missing; add it"
        # TOML writes texts, lists and numbers as JSON does
        example = json.dumps(field.examples[0], ensure_ascii=False)
        return f"is missing; write such as {detail['loc'][-1]} = {example}"
    if kind == "extra_forbidden":
        return f"unknown key; {_right_key(str(detail['loc'][-1]), table)}"
    shown = quoted(value) if isinstance(value, str) and not secret else in_words(value)
    reason = detail.get("ctx", {}).get("error")
    if isinstance(reason, Wrong):
        shown = "the value" if secret else shown
        said = str(reason) if secret or refers(value) else f"{reason}{reason.detail}"
        return said if said.startswith("must ") else f"{shown} {said}"
    if isinstance(reason, Exception):
        return str(reason)
    expected = _EXPECTED.get(kind.partition("_")[0])
    if expected and kind.endswith(("_type", "_parsing", "_scheme", "_from_float")):
        return _wrong_type(expected, value, shown, secret)
    if kind in {"literal_error", "enum"}:
        known = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        if not isinstance(value, str):
            return f"must be one of {', '.join(known)}, not {in_words(value)}"
        return f"{shown} is not known; {remedy(str(value), known)}"
    said = detail["msg"]
    said = (
        f"must {said.removeprefix('Input should ')}" if said.startswith("Input should ") else said
    )
    said = said[:1].lower() + said[1:]
    if secret or ", not " in said or not isinstance(value, str | int | float):
        return said
    return f"{said}, not {shown if isinstance(value, str) else value}"


def _other_word(key: str, table: type[BaseModel]) -> str | None:
    return table.meant.get(key.casefold()) if issubclass(table, Table) else None


def _right_key(key: str, table: type[BaseModel]) -> str:
    if key in _AT_THE_TOP:
        return "it belongs at the top of the file, before the first [table]"
    if right := _other_word(key, table):
        return f"did you mean {quoted(right)}?"
    for name, field in table.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and key in spellings(inner):
            return f"did you mean {quoted(f'{_spelling(name, field)}.{key}')}?"
    return remedy(key, spellings(table))


def refers(written: object) -> bool:
    """Whether a text of the file has a `${NAME}` in it."""
    return isinstance(written, str) and "${" in written


def _wrong_type(expected: str, value: object, shown: str, secret: bool) -> str:
    if isinstance(value, str) and expected not in {"a list", "a table"}:
        return f"must be {expected}, not {shown}"
    words = f"must be {expected}, not {in_words(value)}"
    if secret:
        return words
    if expected == "a list" and isinstance(value, str):
        return f"{words}; put it in brackets: [{shown}]"
    if expected == "text" and isinstance(value, int | float) and not isinstance(value, bool):
        return f'{words}; put it in quotes: "{value}"'
    return words
