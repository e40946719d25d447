"""A real server that speaks S3, with signatures, conditional writes and object lock: SeaweedFS."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import S3Store

KEY, SECRET = "AKRINGPOST", "secret-of-the-tests"
IDENTITIES = (
    '{"identities": [{"name": "ringpost", "credentials": '
    f'[{{"accessKey": "{KEY}", "secretKey": "{SECRET}"}}], "actions": ["Admin"]}}]}}'
)
PARTS = ("master", "volume", "filer", "s3")
KINDS = ((0, ""), (1, ".grpc"))
WEED = Path(sys.executable).with_name("weed")


@dataclass(frozen=True)
class Seaweed:
    """The server's addresses."""

    endpoint: str
    master: str
    filer: str

    def options(self, secret: str = SECRET) -> dict[str, str]:
        """What an archive is told of it."""
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key_id": KEY,
            "secret_access_key": secret,
        }

    def store(self, bucket: str) -> S3Store:
        """A bucket as nobody's archive."""
        return S3Store(bucket, **self.options(), client_options={"allow_http": True})  # type: ignore[arg-type]  # a TypedDict

    def make_bucket(self, name: str, *, locks: bool = False) -> None:
        """A new bucket, with Object Lock if it `locks`."""
        self._shell(f"s3.bucket.create -name {name}{' -withLock' if locks else ''}")

    def uploads(self, bucket: str) -> list[str]:
        """The uploads in parts that were begun and not ended."""
        return self._shell(f"fs.ls /buckets/{bucket}/.uploads").split()

    def _shell(self, command: str) -> str:
        return subprocess.run(
            [WEED, "shell", "-master", self.master, "-filer", self.filer],
            input=f"{command}\n",
            text=True,
            capture_output=True,
            timeout=20,
            check=True,
        ).stdout

    def headers(self, bucket: str, name: str) -> dict[str, str]:
        """What it tells of an object."""
        parts = urlsplit(obstore.sign(self.store(bucket), "HEAD", name, timedelta(minutes=1)))
        with closing(http.client.HTTPConnection(parts.netloc, timeout=10)) as connection:
            connection.request("HEAD", f"{parts.path}?{parts.query}")
            return {key.lower(): value for key, value in connection.getresponse().getheaders()}


@contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """A server whose data are in this folder."""
    (folder / "s3.json").write_text(IDENTITIES)
    ports = {part: _free_ports() for part in PARTS}
    arguments = [f"-{part}.port{kind}={ports[part][at]}" for part in PARTS for at, kind in KINDS]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(WEED, "-logtostderr=true", "server", f"-dir={folder}", "-ip=127.0.0.1"),
                *("-ip.bind=127.0.0.1", "-s3", f"-s3.config={folder / 's3.json'}"),
                *("-s3.port.iceberg=0", "-s3.port.lance=0"),
                *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=30"),
                *(f"-filer.localSocket={folder / 'f.sock'}", *arguments),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(server, ports["s3"][0], folder / "log")
        yield Seaweed(
            f"http://127.0.0.1:{ports['s3'][0]}",
            "127.0.0.1:{}.{}".format(*ports["master"]),
            "127.0.0.1:{}.{}".format(*ports["filer"]),
        )
    finally:
        server.kill()
        server.wait()
        # It leaves them there, and only there can they be.
        for port in (port for both in ports.values() for port in both):
            for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                path.unlink()


def _free_ports() -> tuple[int, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return sockets[0].getsockname()[1], sockets[1].getsockname()[1]


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it writes: it answers a little before it can."""
    store = Seaweed(f"http://127.0.0.1:{port}", "", "").store("started")
    deadline = time.monotonic() + 100
    while True:
        assert server.poll() is None, log.read_text()
        try:
            obstore.put(store, "x", b"")
        except obstore.exceptions.BaseError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return
