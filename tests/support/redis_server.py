"""A Redis of a test's own, as `ringpost run` starts one, to be killed, filled and set back."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from ringpost.embedded_redis import EmbeddedRedis, find_server


class RedisServer:
    """Keeps its append-only file in a short folder, which `remove` deletes."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rp-"))
        embedded = EmbeddedRedis(find_server(), self.folder, self.folder / "r.sock")
        self.url = embedded.url
        once = Retry(NoBackoff(), retries=0)
        self.client: Redis = Redis.from_url(self.url, decode_responses=True, retry=once)
        self._command = embedded.program(0).command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, wait: bool = True) -> None:
        """Start it with what it has kept; by default wait until it answers."""
        self._process = subprocess.Popen([*self._command, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 100
        while wait and not self.answers():
            assert self._process.poll() is None, "it does not start"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def answers(self) -> bool:
        """Whether it is there and has read its file."""
        try:
            return bool(self.client.ping())
        except (RedisError, OSError):
            return False

    def is_loading(self) -> bool:
        """Whether it is there and still reads its file."""
        try:
            self.client.ping()
        except BusyLoadingError:
            return True
        except (RedisError, OSError):
            pass
        return False

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def copy_file(self) -> Path:
        """A copy of the append-only file as it is now."""
        copy = self.folder / "copy"
        shutil.copytree(self.folder / "appendonlydir", copy)
        return copy

    def restore(self, copy: Path) -> None:
        """Kill it, put an older append-only file in place, and start it."""
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir")
        copy.rename(self.folder / "appendonlydir")
        self.start()

    def remove(self) -> None:
        """Kill it and delete what it has kept."""
        self.client.close()
        self.kill()
        shutil.rmtree(self.folder)
