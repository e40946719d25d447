"""A configuration as it was read from its files, and the lines that point into them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Self

from worker.included import MANY, NAMED, File, Located, read_files
from worker.problems import in_words, quoted
from worker.tables import Finding, Path


@dataclass(frozen=True)
class Document:
    """What all files have, as if it stood in one.

    `written` is what stands in them, `values` the same with every `${NAME}` replaced. `amiss` is
    what is wrong already, foremost variables that are not set. A path is that within the whole.
    """

    files: tuple[File, ...] = (File(FilePath("ringpost.toml")),)
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    amiss: tuple[Located, ...] = ()

    @classmethod
    def read(cls, path: FilePath, environ: Mapping[str, str]) -> Self:
        """Read and parse the files; raises ConfigurationError if one is not there or not TOML."""
        files, amiss = read_files(path, environ)
        main, *others = files
        written, values = dict(main.written), dict(main.values)
        for file in others:
            amiss += [(file, twice) for twice in _twice(file, files)]
            _add(written, file.written)
            _add(values, file.values)
        return cls(tuple(files), written, values, tuple(amiss))

    @property
    def file(self) -> str:
        """The file that was named."""
        return str(self.files[0].path)

    def lines(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """One line for each place; the first finding speaks, and what was amiss before all."""
        by_place: dict[tuple[str, str], str] = {}
        located = [self._located(finding) for finding in findings]
        for file, finding in (*self.amiss, *located):
            by_place.setdefault((str(file.path), file.place(finding.path)), finding.words)
        return tuple(
            f"{file}: {place}: {words}" if place else f"{file}: {words}"
            for (file, place), words in by_place.items()
        )

    def routes(self) -> list[Mapping[str, Any]]:
        """The `[[routes]]` tables in order; an empty one where something else stands."""
        return self.tables("routes")

    def tables(self, many: str) -> list[Mapping[str, Any]]:
        """The tables in double brackets of this name; an empty one where something else stands."""
        found = self.values.get(many)
        tables = found if isinstance(found, list) else []
        return [table if isinstance(table, Mapping) else {} for table in tables]

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

    def folder(self, path: Path) -> FilePath:
        """The folder of the file that has this: what it names is relative to it."""
        return self._located(Finding(path, ""))[0].path.parent

    def called(self, path: Path, seen_from: Path) -> str:
        """A table in double brackets by its number, with its file if that is another."""
        file, (local, _) = self._located(Finding(path, ""))
        other = self._located(Finding(seen_from, ""))[0]
        number = f"route number {int(local[1]) + 1}"
        return number if file is other else f"{number} in {file.path}"

    def _located(self, finding: Finding) -> Located:
        """The file that has what a path leads to, and the path within it."""
        path = finding.path
        main = self.files[0]
        if len(path) > 1 and path[0] in MANY and isinstance(path[1], int):
            index = path[1]
            for file in self.files:
                tables = file.written.get(str(path[0]))
                count = len(tables) if isinstance(tables, list) else 0
                if index < count:
                    return file, Finding((path[0], index, *path[2:]), finding.words)
                index -= count
        if len(path) > 1 and path[0] in NAMED:
            having = (file for file in self.files if path[1] in _named(file, str(path[0])))
            return next(having, main), finding
        return main, finding


def _add(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if key in MANY and isinstance(value, list) and isinstance(whole.get(key, []), list):
            whole[key] = [*whole.get(key, []), *value]
        if key in NAMED and isinstance(value, Mapping) and isinstance(whole.get(key, {}), Mapping):
            whole[key] = {**value, **whole.get(key, {})}


def _twice(file: File, files: Iterable[File]) -> Iterable[Finding]:
    for kind in NAMED:
        for name in _named(file, kind):
            first = next(other for other in files if name in _named(other, kind))
            if first is not file:
                words = f"is also in {first.path}; give each a name of its own"
                yield Finding((kind, str(name)), words)


def _named(file: File, kind: str) -> Mapping[str, Any]:
    tables = file.written.get(kind)
    return tables if isinstance(tables, Mapping) else {}
