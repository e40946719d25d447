"""The data directory: made if absent, private, writable, used by one running instance at a time."""

import fcntl
import json
import os
import secrets
import stat
import string
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ringpost.refusal import Refusal

_LETTERS = string.ascii_letters + string.digits
_TOKEN_LENGTH = 48
_PATIENCE = 1.0


class DataDirectory:
    """What `ringpost run` keeps under `path`, apart from what its children keep there."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = self.path / "lock"
        self._running = self.path / "run.json"

    def prepare(self) -> None:
        """Create it with mode 0700 if absent; raises Refusal if it cannot be written."""
        try:
            if self.path.exists() and not self.path.is_dir():
                raise Refusal(
                    f"RINGPOST_DATA={self.path}: is a file, not a folder; set RINGPOST_DATA to one"
                )
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._close_to_others()
            trial = self.path / f".trial-{secrets.token_hex(4)}"
            trial.touch(mode=0o600)
            trial.unlink()
        except OSError as error:
            raise Refusal(
                f"RINGPOST_DATA={self.path}: the data directory cannot be written "
                f"({error.strerror}); make it writable or set RINGPOST_DATA to another"
            ) from None

    def why_unusable(self) -> str | None:
        """What stands in the way of `prepare`, found out without making anything; None: nothing."""
        place = self.path
        while not os.path.lexists(place):
            place = place.parent
        if not place.is_dir():
            return f"{place} is a file, not a folder"
        if not os.access(place, os.W_OK | os.X_OK):
            return f"{place} cannot be written"
        return None

    def _close_to_others(self) -> None:
        """Take an existing folder of ours away from group and others.

        Not one that is for others as well: where we or our user are at home, or all may write.
        """
        found = self.path.stat()
        shared = found.st_mode & stat.S_ISVTX or self.path in (Path.home(), *_and_above(Path.cwd()))
        if found.st_uid == os.getuid() and found.st_mode & 0o077 and not shared:
            self.path.chmod(0o700)

    @contextmanager
    def held(self) -> Iterator[int]:
        """Hold the directory; yields the locked file's descriptor, for children to hold it too.

        Raises Refusal if another instance holds it.
        """
        with open(self._lock, "a+", opener=_private) as file:
            if not _lock(file):
                file.seek(0)
                holder = file.read(20).strip() or "unknown"
                raise Refusal(
                    f"RINGPOST_DATA={self.path}: another `ringpost run` (process {holder}) uses "
                    "this data directory; stop it or set RINGPOST_DATA to another"
                )
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            try:
                yield file.fileno()
            finally:
                self._running.unlink(missing_ok=True)

    def describe(self, environ: Mapping[str, str]) -> None:
        """Let commands in other terminals find this instance: the variables they would need."""
        _write_private(self._running, json.dumps({"pid": os.getpid(), "environ": dict(environ)}))

    def running_environ(self) -> dict[str, str]:
        """The variables of the instance that runs here now; empty if none does."""
        try:
            with self._lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return {}  # nobody holds it: what run.json may still say is stale
        except BlockingIOError:
            pass
        except OSError:
            return {}
        try:
            environ = json.loads(self._running.read_bytes())["environ"]
            return {str(name): str(value) for name, value in environ.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # still starting, or not ours

    @property
    def has_verification_token(self) -> bool:
        """Whether a token has been made here."""
        return (self.path / "verification-token").exists()

    def verification_token(self) -> str:
        """The token that RingCentral must present to the webhook, made once and kept."""
        path = self.path / "verification-token"
        if not path.exists():
            _write_private(path, "".join(secrets.choice(_LETTERS) for _ in range(_TOKEN_LENGTH)))
        token = path.read_text("ascii", errors="replace").strip()
        if not (16 <= len(token) <= 64 and token.isascii() and token.isalnum()):
            raise Refusal(
                f"{path}: not 16 to 64 letters and digits; delete it and a new one is made"
            )
        return token


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    with suppress(OSError):  # somebody else's that we may use all the same
        os.fchmod(descriptor, 0o600)
    return descriptor


def _and_above(path: Path) -> tuple[Path, ...]:
    return (path, *path.parents)


def _lock(file: IO[str]) -> bool:
    """Lock it; patient for a moment, as a command looks or a killed instance's Redis ends."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600, exist_ok=False)
    part.write_text(text)
    part.replace(path)
