"""The admin process serves links on a port of their own."""

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from ringpost.probes import free_port

COMMAND = [sys.executable, "-m", "ringpost", "admin"]


def environ(folder: Path, redis_url: str, **more: str) -> dict[str, str]:
    """What `ringpost admin` is started with."""
    ports = {"ADMIN_PORT": str(free_port(0)), "LINKS_PORT": str(free_port(0))}
    ours = {"REDIS_URL": redis_url, "RINGPOST_DATA": str(folder), **ports, **more}
    return {"PATH": os.environ["PATH"], **ours}


def answers(port: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=100) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def test_links_are_served_on_a_port_of_their_own(redis_url: str, tmp_path: Path) -> None:
    """With LINKS_URL the admin process listens on LINKS_PORT as well, and stops when told."""
    told = environ(tmp_path, redis_url, LINKS_URL="https://links.example.com")
    process = subprocess.Popen(COMMAND, env=told, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 100
        while not answers(told["ADMIN_PORT"]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert answers(told["LINKS_PORT"])
    finally:
        process.terminate()
        assert process.wait(100) == 0
