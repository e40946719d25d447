"""The files of a configuration: the one that is named, and those that it includes."""

import errno
import glob
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from worker.problems import ConfigurationError, in_words, quoted
from worker.substitution import substitute
from worker.tables import Finding, Path

MANY = {"routes", "accounts", "tests"}  # tables in double brackets, told apart by their names
NAMED = {"handlers", "hours", "contacts"}  # tables of tables with names of their own
_SHARED = {"routes", "tests", "include", *NAMED}  # what an included file may have

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_WILD = re.compile(r"[*?\[]")
_REMEDY = 'write key = value, with text in "quotes" and lists in [brackets]'
_REMEDIES = {  # by what the parser says
    "'\\'": "write text with a \\ in it in 'single quotes'",
    "twice": "it is there already; write it once",
    "cannot overwrite": "it is there already; write it once, with several values in [brackets]",
}


@dataclass(frozen=True)
class File:
    """One file: `written` is what stands in it, `values` the same with every `${NAME}` replaced."""

    path: FilePath
    written: dict[str, Any] = field(default_factory=dict, repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)

    def place(self, path: Path) -> str:
        """Where in the file something stands: the table, the key, the entry of a list."""
        keys, table = list(path), ""
        if len(keys) > 1 and keys[0] in MANY and isinstance(keys[1], int):
            table, keys = f"[[{keys[0]}]] {self._which(str(keys[0]), keys[1])}", keys[2:]
        elif len(keys) > 1 and keys[0] in NAMED:
            table, keys = f"[{keys[0]}.{_key(str(keys[1]))}]", keys[2:]
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


Located = tuple[File, Finding]
"""Something wrong in one file; its path is that within the file."""


def read_files(path: FilePath, environ: Mapping[str, str]) -> tuple[list[File], list[Located]]:
    """The file and all that it includes, in order, and what is wrong before anybody looks closer.

    Raises ConfigurationError if one is not there or is not TOML.
    """
    files: dict[FilePath, File] = {}
    amiss: list[Located] = []

    def read(path: FilePath) -> None:
        try:
            written = tomllib.loads(_text(path))
            values, unset = substitute(written, environ)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError([f"{path}: {_syntax(error)}"]) from None
        except RecursionError:
            raise ConfigurationError([f"{path}: is nested too deep; write it flatter"]) from None
        except ValueError:  # Python reads no more than 4300 digits
            raise ConfigurationError([f"{path}: a number in it is too long"]) from None
        file = files[path.resolve()] = File(path, written, values)
        amiss.extend((file, finding) for finding in unset)
        for entry, included in _included(file, amiss):
            if _goes_round(included):
                words = f"{_shown(file, entry)} brings {included}, a link that leads to itself"
                amiss.append((file, Finding(entry.path, words)))
            elif included.resolve() in files:
                words = f"{_shown(file, entry)} brings {included} a second time; include it once"
                amiss.append((file, Finding(entry.path, words)))
            elif not has_wildcards(entry.words) and not included.exists():
                words = f"{_shown(file, entry)} is not there; it is looked for beside {file.path}"
                amiss.append((file, Finding(entry.path, words)))
            elif included.is_dir():
                words = (
                    f'{_shown(file, entry)} brings {included}, a folder; write "{included}/*.toml"'
                )
                amiss.append((file, Finding(entry.path, words)))
            else:
                read(included)

    read(path)
    main, *others = files.values()
    for file in others:
        amiss.extend(_misplaced(file, main))
    return list(files.values()), amiss


def _included(file: File, amiss: list[Located]) -> Iterator[tuple[Finding, FilePath]]:
    """The files that this one includes, each with the entry that brings it."""
    entries = file.values.get("include", [])
    if not isinstance(entries, list):
        words = f'must be a list such as ["routes/*.toml"], not {in_words(entries)}'
        amiss.append((file, Finding(("include",), words)))
        return
    for index, entry in enumerate(entries):
        path: Path = ("include", index)
        if not isinstance(entry, str) or not entry.strip():
            words = f'must be a file such as "routes/*.toml", not {in_words(entry)}'
            amiss.append((file, Finding(path, words)))
        elif has_wildcards(entry):
            if not (folder := file.path.parent / _before_wildcards(entry)).is_dir():
                words = (
                    f"{quoted(file.written['include'][index])} names files in {folder}, which is "
                )
                amiss.append((file, Finding(path, f"{words}no folder")))
            for found in expanded(file.path.parent, entry):
                yield Finding(path, entry), found
        else:
            yield Finding(path, entry), file.path.parent / entry


def has_wildcards(entry: str) -> bool:
    """Whether an entry of `include` may name several files."""
    return _WILD.search(entry) is not None


def expanded(folder: FilePath, entry: str) -> list[FilePath]:
    """The files that an entry with wildcards names, seen from this folder; `**` is any folders."""
    pattern = FilePath(glob.escape(str(folder))) / entry
    found = glob.glob(str(pattern), recursive=True)  # noqa: PTH207  # entries may be absolute
    return [FilePath(name) for name in sorted(found)]


def _before_wildcards(entry: str) -> FilePath:
    parts = FilePath(entry).parts
    return FilePath(*itertools.takewhile(lambda part: not _WILD.search(part), parts))


def _goes_round(path: FilePath) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _shown(file: File, entry: Finding) -> str:
    return quoted(file.written["include"][entry.path[1]])


def _misplaced(file: File, main: File) -> Iterator[Located]:
    for key, value in file.written.items():
        if key not in _SHARED:
            words = f"does not belong into an included file; write it in {main.path}"
            yield file, Finding((key,), words)
        elif key in MANY and not isinstance(value, list):
            words = f"must be written [[{key}]], in double brackets, not {in_words(value)}"
            yield file, Finding((key,), words)
        elif key in NAMED and not isinstance(value, Mapping):
            words = f"must be tables with names such as [{key}.NAME], not {in_words(value)}"
            yield file, Finding((key,), words)


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
    remedies = (remedy for words, remedy in _REMEDIES.items() if words in said)
    return f"{place}: {said}; {next(remedies, _REMEDY)}"
