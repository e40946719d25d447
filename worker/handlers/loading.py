"""From the names in a configuration to handlers, their options checked."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from worker.configuration import Configuration, examine
from worker.document import Document
from worker.handlers.built_in import BUILT_IN
from worker.handlers.contract import ClosingHandler, Handler
from worker.handlers.kept_first import deleted_unkept
from worker.handlers.lookup import HandlerClass, find, said
from worker.handlers.tables import HandlerTable
from worker.problems import ConfigurationError, Wrong, quoted, without_password
from worker.tables import Finding, findings

AnyHandler = Handler | ClosingHandler

_SHORTEST_SECRET = 3  # a shorter text is in every sentence, and no secret


def load_all(path: Path, environ: Mapping[str, str]) -> tuple[Configuration, dict[str, AnyHandler]]:
    """The configuration and its handlers by the names that steps use.

    Only what the configuration names is imported. Raises ConfigurationError with a line for each
    problem of both.
    """
    draft = examine(path, environ)
    handlers, found = _load(draft.handlers, draft.document)
    if draft.configuration is None or found:
        raise ConfigurationError(draft.document.lines((*draft.found, *found)))
    return draft.configuration, handlers


def _load(
    tables: Mapping[str, HandlerTable], document: Document
) -> tuple[dict[str, AnyHandler], list[Finding]]:
    handlers: dict[str, AnyHandler] = {}
    kinds: dict[str, HandlerClass] = {}
    found: list[Finding] = []
    routes = document.steps()
    steps_named = {step for steps in routes for step in steps if isinstance(step, str)}
    bare = (steps_named & BUILT_IN.keys()) - tables.keys()
    for table in (*tables.values(), *(HandlerTable(step, step) for step in sorted(bare))):
        path = ("handlers", table.name)
        try:
            kinds[table.name] = kind = find(table.use)
        except Wrong as wrong:
            found.append(Finding((*path, "use"), _hide(f"{quoted(table.use)} {wrong}", table)))
            continue
        try:
            handlers[table.name] = kind.model_validate(dict(table.options))
        except ValidationError as error:
            wrong_options = findings(error, kind, table.written)
            found += _no_table(table, kind) if table.name in bare else _placed(wrong_options, table)
        except Exception as error:  # noqa: BLE001  # a plug-in's own checks may raise anything
            words = f"its options cannot be checked: {kind.__name__} failed with {said(error)}"
            found.append(Finding(path, _hide(words, table)))
    found += _out_of_order(routes, kinds)
    return handlers, [*found, *deleted_unkept(document.routes(), kinds)]


def _placed(wrong: Iterator[Finding], table: HandlerTable) -> Iterator[Finding]:
    for finding in wrong:
        # once, where it is written, however many others are like that table
        key = str(finding.path[0]) if finding.path else ""
        path = ("handlers", table.origins.get(key, table.name), *finding.path)
        yield Finding(path, _hide(finding.words, table))


def _no_table(table: HandlerTable, kind: HandlerClass) -> Iterator[Finding]:
    required = [
        field.validation_alias if isinstance(field.validation_alias, str) else name
        for name, field in kind.model_fields.items()
        if field.is_required()
    ]
    words = f'is needed, because a step names it; write it with use = "{table.use}"'
    yield Finding(("handlers", table.name), f"{words} and {', '.join(required)}")


def _hide(words: str, table: HandlerTable) -> str:
    """The words without what came from the environment: they may be somebody else's."""
    secrets = {value: name for name, value in table.environment.items()}
    secrets |= {_password(value): name for value, name in secrets.items()}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret.strip()) >= _SHORTEST_SECRET:
            words = words.replace(secret, f"${{{secrets[secret]}}}")
    return without_password(words)


def _password(address: str) -> str:
    user_and_password, at, _ = address.partition("://")[2].rpartition("@")
    return user_and_password.partition(":")[2] if at else ""


def _out_of_order(
    routes: Sequence[Sequence[Any]], kinds: Mapping[str, HandlerClass]
) -> Iterator[Finding]:
    """Steps that could never run: a closing step waits until every other step is done."""
    for index, steps in enumerate(routes):
        closing: str | None = None
        for position, step in enumerate(steps):
            kind = kinds.get(step) if isinstance(step, str) else None
            if kind is not None and issubclass(kind, ClosingHandler):
                closing = closing or step
            elif kind is not None and closing is not None:
                words = f"{quoted(step)} stands after {quoted(closing)}"
                words = f"{words}, which waits for all other steps; put it before"
                yield Finding(("routes", index, "steps", position), words)
