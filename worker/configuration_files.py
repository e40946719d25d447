"""The files that a configuration is made of, as far as they can be read; do they change?"""

import contextlib
import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.included import expanded, has_wildcards
from worker.problems import ConfigurationError
from worker.secret_files import SECRETS, with_secret_files
from worker.substitution import substitute

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Stamp = Mapping[Path, tuple[int, int, int] | None]
"""What each file looks like from outside; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class _Named:
    """What a file names: others that it includes, lists and holidays, and variables."""

    includes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()


class ConfigurationFiles:
    """The file at `path` and all that it leads to; what a broken one leads to stays known.

    Files of secrets that are used count as well. All of it blocks.
    """

    def __init__(self, path: Path, environ: Callable[[], Mapping[str, str]]) -> None:
        self.path = path
        self._environ = environ
        self._variables: Mapping[str, str] = {}
        self._named: dict[Path, tuple[object, _Named]] = {}

    def stamp(self) -> Stamp:
        """What they look like now; other than before if one of them may have changed."""
        found: dict[Path, tuple[int, int, int] | None] = {}
        # a .env that cannot be read now is told of when the configuration is read
        with contextlib.suppress(ConfigurationError):
            self._variables = self._environ()
        self._look_at(self.path, self._variables.get(SECRETS), found)
        return found

    def digest(self) -> str:
        """What tells two states of their contents apart."""
        digest = hashlib.sha256()
        for path in sorted(self.stamp()):
            try:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                content = str(error.strerror)
            digest.update(f"{path}\n{content}\n".encode())
        return digest.hexdigest()[:16]

    def _look_at(
        self,
        path: Path,
        secrets: str | None,
        found: dict[Path, tuple[int, int, int] | None],
    ) -> None:
        if path in found:
            return
        stamp = found[path] = _stamp(path)
        before = self._named.get(path)
        if before is None or before[0] != stamp:
            named = _read(path)
            if named is None:
                named = before[1] if before else _Named()
            before = self._named[path] = (stamp, named)
        named = before[1]
        for name in self._replaced(named.files):
            found[path.parent / name] = _stamp(path.parent / name)
        for name in named.variables if secrets else ():
            secret = Path(secrets or "") / name
            if (told := _stamp(secret)) is not None:
                found[secret] = told
        for entry in self._replaced(named.includes):
            for included in _expanded(path.parent, entry):
                self._look_at(included, secrets, found)

    def _replaced(self, names: Iterable[str]) -> Iterator[str]:
        """The names with the variables in them replaced, as far as they are set."""
        for name in names:
            if "$" not in name:
                yield name
                continue
            try:
                values, _ = substitute({"name": name}, with_secret_files(self._variables))
            except ConfigurationError:
                continue  # a secret that cannot be read
            yield values["name"]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        told = os.stat(path)  # noqa: PTH116  # follows links, as reading does
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino


def _expanded(folder: Path, entry: str) -> list[Path]:
    return expanded(folder, entry) if has_wildcards(entry) else [folder / entry]


def _read(path: Path) -> _Named | None:
    """What the file names; None if it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        written = tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    contacts = (table.get("file") for table in _tables(written, "contacts"))
    holidays = (table.get("holidays") for table in _tables(written, "hours"))
    return _Named(
        includes=tuple(_texts(written.get("include"))),
        files=tuple(name for name in (*contacts, *holidays) if isinstance(name, str)),
        variables=frozenset(_REFERENCE.findall(text)),
    )


def _tables(written: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    tables = written.get(kind)
    found = tables.values() if isinstance(tables, Mapping) else ()
    return [table for table in found if isinstance(table, Mapping)]


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
