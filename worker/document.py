"""A configuration file as it was read, and the lines that point into it."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Self

from worker.problems import ConfigurationError, in_words, quoted
from worker.substitution import substitute
from worker.tables import Finding, Path

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

_MANY = {"routes", "accounts"}  # tables in double brackets, told apart by their names


@dataclass(frozen=True)
class Document:
    """`written` is what stands in the file, `values` the same with every `${NAME}` replaced."""

    file: str = "ringpost.toml"
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unset: tuple[Finding, ...] = ()

    @classmethod
    def read(cls, path: FilePath, environ: Mapping[str, str]) -> Self:
        """Read and parse the file; raises ConfigurationError if it is not there or not TOML."""
        try:
            written = tomllib.loads(_text(path))
            values, unset = substitute(written, environ)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError([f"{path}: {_syntax(error)}"]) from None
        except RecursionError:
            raise ConfigurationError([f"{path}: is nested too deep; write it flatter"]) from None
        except ValueError:  # Python reads no more than 4300 digits
            raise ConfigurationError([f"{path}: a number in it is too long"]) from None
        return cls(str(path), written, values, tuple(unset))

    def lines(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """One line for each place; the first finding speaks, and a variable not set before all."""
        by_place: dict[str, str] = {}
        for finding in (*self.unset, *findings):
            by_place.setdefault(self._place(finding), finding.words)
        return tuple(
            f"{self.file}: {place}: {words}" if place else f"{self.file}: {words}"
            for place, words in by_place.items()
        )

    def routes(self) -> list[Mapping[str, Any]]:
        """The `[[routes]]` tables in order; an empty one where something else stands."""
        routes = self.values.get("routes")
        tables = routes if isinstance(routes, list) else []
        return [route if isinstance(route, Mapping) else {} for route in tables]

    def steps(self) -> list[list[Any]]:
        """The steps of each route as they stand; none where they are not a list."""
        lists = [route.get("steps") for route in self.routes()]
        return [steps if isinstance(steps, list) else [] for steps in lists]

    def shown(self, path: Path) -> str:
        """The text at a path as it stands in the file, in quotes."""
        value: Any = self.written
        for key in path:
            value = value[key]
        return quoted(value) if isinstance(value, str) else in_words(value)

    def _place(self, finding: Finding) -> str:
        keys, table = list(finding.path), ""
        if len(keys) > 1 and keys[0] in _MANY and isinstance(keys[1], int):
            table, keys = f"[[{keys[0]}]] {self._which(str(keys[0]), keys[1])}", keys[2:]
        elif len(keys) > 1 and keys[0] == "handlers":
            table, keys = f"[handlers.{_key(str(keys[1]))}]", keys[2:]
        elif len(keys) > 1 and isinstance(keys[1], str):
            table, keys = f"[{keys[0]}]", keys[1:]
        names = ".".join(_key(key) for key in keys if isinstance(key, str))
        entries = "".join(f", entry {key + 1}" for key in keys if isinstance(key, int))
        return f"{table} {quoted(names)}{entries}".strip() if names else table

    def _which(self, many: str, index: int) -> str:
        tables = self.written[many]
        name = tables[index].get("name") if isinstance(tables[index], Mapping) else None
        names = [table.get("name") for table in tables if isinstance(table, Mapping)]
        if isinstance(name, str) and name.strip() and names.count(name) == 1:
            return quoted(name)
        return f"number {index + 1}"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key[:80])


def _text(path: FilePath) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        remedy = (
            "there is no such file; name another with --config or RINGPOST_CONFIG, "
            "or write one with `ringpost init`"
        )
    except IsADirectoryError:
        remedy = "is a directory; name the file in it with --config or RINGPOST_CONFIG"
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        remedy = f"line {line} is not UTF-8 text; save the file as UTF-8"
    except OSError as error:
        remedy = f"cannot be read: {error.strerror}; give the user that runs Ringpost access to it"
    raise ConfigurationError([f"{path}: {remedy}"])


def _syntax(error: tomllib.TOMLDecodeError) -> str:
    found = _PLACE.fullmatch(str(error))
    if not found:
        return f"is not TOML: {error}"
    place = f"line {found[2]}, column {found[3]}" if found[2] else "at its end"
    said = found[1][:1].lower() + found[1][1:]
    return f'{place}: {said}; write key = value, with text in "quotes" and lists in [brackets]'
