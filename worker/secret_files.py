"""Values from a folder of secrets, as Docker and Kubernetes mount them: one file for each."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from worker.problems import ConfigurationError

SECRETS = "RINGPOST_SECRETS"
_LARGEST = 1024 * 1024


class WithSecretFiles(Mapping[str, str]):
    """Variables, and for names that are not among them the files of a folder.

    A file is read when it is asked for; a line end after its last line does not count.
    """

    def __init__(self, variables: Mapping[str, str], folder: Path) -> None:
        self._variables = variables
        self._folder = folder

    def __getitem__(self, name: str) -> str:
        """A variable, else what the file of the name has; ConfigurationError if that is no text."""
        if name in self._variables or name not in self._files():
            return self._variables[name]
        path = self._folder / name
        try:
            with path.open("rb") as file:
                return file.read(_LARGEST).decode("utf-8-sig").rstrip("\r\n")
        except OSError as error:
            said = error.strerror
        except UnicodeDecodeError:
            said = "it is not UTF-8 text"
        raise ConfigurationError([f"{path}: cannot be read: {said}; it is to hold a secret"])

    def __iter__(self) -> Iterator[str]:
        """All names."""
        return iter(dict.fromkeys([*self._variables, *self._files()]))

    def __len__(self) -> int:
        """How many names there are."""
        return len(list(iter(self)))

    def _files(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                return sorted(entry.name for entry in entries if entry.is_file())
        except OSError as error:
            raise ConfigurationError(
                [f"{SECRETS} {self._folder}: cannot be read: {error.strerror}; name a folder"]
            ) from None


def with_secret_files(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables, with the folder that RINGPOST_SECRETS names if there is one."""
    folder = variables.get(SECRETS)
    return WithSecretFiles(variables, Path(folder)) if folder else variables
