"""How much more memory a worker takes for large attachments: 300 MB archived, 50 MB mailed.

The whole worker's side is real (client, spool, handlers) in a process of its own; RingCentral's
content server and the mail server are processes beside it. Exit 1 if the goal is missed.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.limits import NoLimits
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.server import Server
from message_store.token import MemoryTokenStore
from worker.handlers.archive import Archive
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import Handler
from worker.handlers.egress import Egress
from worker.handlers.email import Email
from worker.spool import Spool

GOAL_MIB = 16
ROUNDS = (("archive", 300), ("email", 50))
MB = 1_000_000


def memory_kib(field: str) -> int:
    """One line of what Linux says of this process's memory: VmRSS now, VmHWM its peak."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


def forget_peak() -> None:
    """Let VmHWM begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


async def measure(kind: str, size: int, content_port: int, sink_port: int, folder: Path) -> None:
    """Deliver a small message to warm up, then one of `size` bytes; print growth and time."""
    url = f"http://127.0.0.1:{content_port}"
    handler: Handler = (
        Archive(to=str(folder / "archive"))
        if kind == "archive"
        else Email.model_validate(
            {"smtp": f"smtp://127.0.0.1:{sink_port}", "from": "a@example.com", "to": ["b@b.com"]}
        )
    )
    async with aiohttp.ClientSession() as session:
        server = Server.of(url, url)
        credentials = Credentials("id", SecretStr("secret"), SecretStr("jwt"))
        authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), NoLimits())
        store = MessageStore(session, server, authenticator, NoLimits())
        egress = Egress()
        spool = Spool(folder / "spool", store)

        async def deliver(message_id: int, length: int) -> None:
            attachment = {"id": length, "contentType": "application/pdf", "type": "SourceDocument"}
            message = Message.model_validate(
                {"id": message_id, "type": "Fax", "attachments": [attachment]}
            )
            mailbox = Mailbox("1", "2")
            await handler.handle(
                message,
                DeliveryContext(
                    mailbox=mailbox,
                    message=message,
                    route="bench",
                    step=kind,
                    attempt=1,
                    store=store,
                    spool=spool,
                    http=egress,
                ),
            )
            await spool.discard(mailbox, message.id)

        await deliver(1, 2 * MB)
        forget_peak()
        before, started = memory_kib("VmRSS"), time.perf_counter()
        await deliver(2, size)
        seconds = time.perf_counter() - started
        print(json.dumps({"growth_kib": memory_kib("VmHWM") - before, "seconds": seconds}))
        await handler.close()
        await egress.close()


def peer(kind: str) -> tuple[subprocess.Popen[str], int]:
    """Start one of the other sides; its process and its port."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("memory_peers.py")), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def main() -> int:
    """Print one line per round; 1 if one missed the goal."""
    peers = [peer("content"), peer("sink")]
    ports = [str(port) for _, port in peers]
    missed = False
    try:
        for kind, megabytes in ROUNDS:
            with tempfile.TemporaryDirectory(prefix="ringpost-bench-") as folder:
                run = subprocess.run(
                    [sys.executable, __file__, kind, str(megabytes * MB), *ports, folder],
                    stdout=subprocess.PIPE,
                    check=True,
                )
            result = json.loads(run.stdout)
            growth = result["growth_kib"] / 1024
            missed |= growth >= GOAL_MIB
            print(
                f"{kind:8}{megabytes:4} MB  {growth:6.1f} MiB extra (goal < {GOAL_MIB})"
                f"  {megabytes / result['seconds']:6.0f} MB/s"
                f"  {'missed' if growth >= GOAL_MIB else 'ok'}"
            )
    finally:
        for process, _ in peers:
            process.communicate()
    return int(missed)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        kind, size, content_port, sink_port, folder = sys.argv[1:]
        asyncio.run(measure(kind, int(size), int(content_port), int(sink_port), Path(folder)))
    else:
        sys.exit(main())
