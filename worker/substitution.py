"""`${NAME}` in the texts of a configuration: replaced from the environment; `$$` is a plain `$`."""

import re
from collections.abc import Mapping
from typing import Any

from worker.as_written import FromVariable
from worker.problems import nearest, quoted
from worker.tables import Finding, Path

_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def substitute(
    document: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[Finding]]:
    """The document with every reference replaced, and a finding for each that cannot be.

    A value is put in as it is and never read as TOML; one that is missing leaves the text as it
    stands, so that the rest of the file can be looked at too.
    """
    found: list[Finding] = []

    def replaced(value: Any, path: Path) -> Any:
        if isinstance(value, Mapping):
            return {key: replaced(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str):
            return value

        names: list[str] = []

        def one(reference: re.Match[str]) -> str:
            if reference[0] == "$$":
                return "$"
            name = reference[1]
            if not (reference[2] and _NAME.fullmatch(name)):
                found.append(Finding(path, _MALFORMED))
            elif name not in environ:
                found.append(Finding(path, _missing(name, environ)))
            else:
                names.append(name)
                return environ[name]
            return reference[0]

        text = _REFERENCE.sub(one, value)
        if names and not text.strip():
            found.append(Finding(path, f"the environment variable {quoted(names[0])} {_EMPTY}"))
        return FromVariable(text) if names else text

    return {key: replaced(value, (key,)) for key, value in document.items()}, found


_EMPTY = "is empty; set it, or write it in .env"
_MALFORMED = "has a ${ that names no variable; write ${NAME}, or $${ for a plain ${"


def _missing(name: str, environ: Mapping[str, str]) -> str:
    right = nearest(name, environ, cutoff=0.8)
    meant = f"did you mean {quoted(right)}?" if right else "set it, or write it in .env"
    return f"the environment variable {quoted(name)} is not set; {meant}"


def taken(value: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a value of the file refers to, with what they hold."""
    if isinstance(value, Mapping):
        return {k: v for inner in value.values() for k, v in taken(inner, environ).items()}
    if isinstance(value, list):
        return {k: v for inner in value for k, v in taken(inner, environ).items()}
    names = [match[1] for match in _REFERENCE.finditer(value)] if isinstance(value, str) else []
    return {name: environ[name] for name in names if name in environ}
