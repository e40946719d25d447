"""The JSON schema of a configuration file, for editors: completion, descriptions, wrong keys.

It is more lenient than `ringpost check`: what an editor marks is wrong, but not all that is wrong.
Source: https://taplo.tamasfe.dev/configuration/using-schemas.html
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from worker.configuration import Configuration
from worker.durations import in_file
from worker.facts import FACTS
from worker.handlers.lookup import HandlerClass
from worker.happenings import WORDS
from worker.matches import Match
from worker.route_tests import RouteTest
from worker.routes import Route

Schema = dict[str, Any]

_DURATION = r"^\s*([0-9]+\s*[smhdwySMHDWY]\s*)+$|\$\{"
_PATTERN = r"[*?]|^\s*/.*/\s*$|\$\{"
_NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_REFERENCE = r"^\w+(\.\w+)*:\w+$|\$\{"
_VARIABLE = {"type": "string", "pattern": r"\$\{"}
# Of no use in an editor, or not true of a text in which a ${NAME} stands.
_LEFT_OUT = {"title", "format", "writeOnly"}


class _AsWritten(GenerateJsonSchema):
    """Values as a file has them; what a plug-in keeps in types of its own may be anything."""

    def emit_warning(self, kind: object, detail: str) -> None:
        """What cannot be described is left open."""

    def handle_invalid_for_json_schema(
        self, schema: core_schema.CoreSchema, error_info: str
    ) -> JsonSchemaValue:
        return {}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": _DURATION}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # TOML has no null

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        found = super().literal_schema(schema)
        texts = all(isinstance(one, str) for one in schema["expected"])
        return {"anyOf": [found, _VARIABLE]} if texts else found

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        found = super().bool_schema(schema)
        return found if schema.get("strict") else {"anyOf": [found, _VARIABLE]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {"anyOf": [super().int_schema(schema), _VARIABLE]}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {"anyOf": [super().float_schema(schema), _VARIABLE]}

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return in_file(dft)
        if isinstance(dft, tuple | frozenset):
            return [self.encode_default(one) for one in dft]
        return super().encode_default(dft)


def schema(kinds: Mapping[str, HandlerClass]) -> Schema:
    """The schema of a file in which `use` may be one of these handlers, or one not known here."""
    models = dict.fromkeys([Configuration, Match, Route, RouteTest, *kinds.values()])
    refs, whole = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_AsWritten
    )
    definitions: Schema = _plain(whole["$defs"])
    of_kind = {kind: _name(refs[kind, "validation"]) for kind in models}
    definitions.pop("HandlerTable", None)
    root = definitions.pop(of_kind[Configuration])
    options = {kind: definitions.pop(of_kind[kind]) for kind in dict.fromkeys(kinds.values())}
    for name, kind in kinds.items():
        definitions[_defined(name)] = _handler(name, options[kind])
    definitions["handler"] = _any_handler(kinds, options)
    match = definitions[of_kind[Match]]["properties"]
    for key, fact in FACTS.items():
        if fact.known:
            match[key] = _of_words(match[key], fact.known)
    for table in (Route, RouteTest):
        properties = definitions[of_kind[table]]["properties"]
        properties["on"] = _of_words(properties["on"], WORDS)
    root["properties"]["handlers"] = {
        "type": "object",
        "description": root["properties"]["handlers"]["description"],
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": {"$ref": "#/$defs/handler"},
    }
    root.pop("required", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ringpost.toml",
        **root,
        "description": "What becomes of each message that comes to a RingCentral mailbox.",
        "$defs": definitions,
    }


def _handler(name: str, options: Schema) -> Schema:
    """A `[handlers.NAME]` table with this `use`; what it is `like` may have what is required."""
    described = {"use": {"const": name, "description": options.get("description", "")}}
    like = {"type": "string", "description": "Another handler, whose options this one has too."}
    found = {**options, "properties": {**described, "like": like, **options["properties"]}}
    if required := found.pop("required", None):
        found |= {"if": {"required": ["like"]}, "else": {"required": required}}
    return found


def _any_handler(
    kinds: Mapping[str, HandlerClass], options: Mapping[HandlerClass, Schema]
) -> Schema:
    known = [
        {"const": name, "description": options[kind].get("description", "")}
        for name, kind in kinds.items()
    ]
    reference = {"type": "string", "pattern": _REFERENCE, "description": "package.module:Class"}
    return {
        "type": "object",
        "properties": {
            "use": {"description": "What it does.", "anyOf": [*known, reference]},
            "like": {"type": "string"},
        },
        "anyOf": [{"required": ["use"]}, {"required": ["like"]}],
        "allOf": [
            {
                "if": {"properties": {"use": {"const": name}}, "required": ["use"]},
                "then": {"$ref": f"#/$defs/{_defined(name)}"},
            }
            for name in kinds
        ],
    }


def _defined(name: str) -> str:
    """The name of a definition, which may stand in a reference as it is."""
    return f"handler-{re.sub('[^A-Za-z0-9_.-]', '_', name)}"


def _of_words(value: Schema, words: Iterable[str]) -> Schema:
    """Let editors know the words that there are, in any case, beside patterns and variables."""
    one = {"anyOf": [{"enum": list(words)}, {"type": "string", "pattern": _in_any_case(words)}]}
    kept: Schema = {name: value[name] for name in ("description", "default") if name in value}
    if value.get("type") == "string":
        return {**kept, **one}
    return {**kept, "anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


def _in_any_case(words: Iterable[str]) -> str:
    spelled = ("".join(f"[{letter.upper()}{letter.lower()}]" for letter in word) for word in words)
    return rf"{_PATTERN}|^\s*({'|'.join(spelled)})\s*$"


def _name(ref: JsonSchemaValue) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _plain(value: Any, *, names: bool = True) -> Any:
    """Without what editors have no use for; `names`: the keys are names, not words of a schema."""
    if isinstance(value, list):
        return [_plain(one, names=False) for one in value]
    if not isinstance(value, dict):
        return value
    kept = value if names else {k: v for k, v in value.items() if k not in _LEFT_OUT}
    if not names and "default" in kept and _says_nothing(kept["default"]):
        del kept["default"]
    return {
        key: inner
        if key in {"default", "examples"} and not names
        else _plain(inner, names=key in {"properties", "$defs"} and not names)
        for key, inner in kept.items()
    }


def _says_nothing(default: object) -> bool:
    return isinstance(default, dict) or default in (None, "", [])
