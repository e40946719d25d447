"""The load: keep-alive connections, each posting its next notification as soon as it is answered.

`python bench/ack_load.py PORT TOKEN CONNECTIONS SECONDS` prints one JSON object.
"""

import asyncio
import itertools
import json
import sys
import time
from typing import cast

import uvloop

BODY = (
    b'{"uuid":"6242343638330007102","event":"/restapi/v1.0/account/80964000/extension/%010d/'
    b'message-store","timestamp":"2025-07-30T18:12:45.034Z","subscriptionId":"7e4a7486-8df9-4195-'
    b'8aef-b8d81d3345f6","ownerId":"62989300","body":{"accountId":"80964000","extensionId":"%010d",'
    b'"lastUpdated":"2025-07-30T18:12:45.028Z","changes":[{"type":"SMS","newCount":1,"updatedCount"'
    b':0,"newMessageIds":[3062991514017]}]}}'
)


class Load:
    """Counts answers and how long each took, over all connections."""

    def __init__(self, token: str) -> None:
        head = (
            "POST /webhook HTTP/1.1\r\nHost: localhost\r\nUser-Agent: RingCentral-Webhook/8.3\r\n"
            "Accept: application/json\r\nContent-Type: application/json; charset=UTF-8\r\n"
            f"Verification-Token: {token}\r\nContent-Length: {len(BODY % (0, 0))}\r\n\r\n"
        )
        self.request = head.encode() + BODY
        self.numbers = itertools.count(int(time.time() * 1000) % 1_000_000_000)
        self.seconds: list[float] = []
        self.errors = 0
        self.stopped = False

    def next_request(self) -> bytes:
        """A notification for a mailbox that no other one names."""
        number = next(self.numbers)
        return self.request % (number, number)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first notification."""
        self.transport = cast("asyncio.WriteTransport", transport)
        self.post()

    def post(self) -> None:
        """Send one notification."""
        self.sent = time.perf_counter()
        self.transport.write(self.load.next_request())

    def data_received(self, data: bytes) -> None:
        """An answer, whole: it is small."""
        self.load.seconds.append(time.perf_counter() - self.sent)
        if not (data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n")):
            self.load.errors += 1
        if not self.load.stopped:
            self.post()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody should hang up while the clock runs."""
        self.load.errors += not self.load.stopped


async def run(port: int, token: str, connections: int, seconds: float) -> dict[str, float]:
    """Post for some seconds; with one connection and no seconds, post once."""
    load = Load(token)
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", port)
    await asyncio.sleep(seconds)
    load.stopped = True
    elapsed = time.perf_counter() - begin
    count = len(load.seconds)
    while len(load.seconds) < count + connections and time.perf_counter() < begin + seconds + 5:
        await asyncio.sleep(0.01)
        if not load.errors and len(load.seconds) >= connections and seconds == 0:
            break
    ordered = sorted(load.seconds)
    return {
        "rate": count / elapsed,
        "p50_ms": 1000 * ordered[len(ordered) // 2],
        "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        "max_ms": 1000 * ordered[-1],
        "errors": load.errors,
    }


if __name__ == "__main__":
    port, token, connections, seconds = sys.argv[1:5]
    print(json.dumps(uvloop.run(run(int(port), token, int(connections), float(seconds)))))
