"""`python -m sandbox`: one line, an answer, a clean end."""

import asyncio
import re
import socket
import sys

import aiohttp


async def test_start_and_stop() -> None:
    """It says where it is, answers there, and ends with SIGTERM at once and without complaint."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--media-port", "0"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 100)).decode()
    found = re.fullmatch(r"RingCentral sandbox: API (http\S+), media (http\S+)\n", line)
    assert found, line
    async with aiohttp.ClientSession() as session:
        async with session.get(found[1] + "/sandbox") as answer:
            assert (await answer.json())["media"] == found[2]
        process.terminate()
        out, errors = await asyncio.wait_for(process.communicate(), 100)
    assert (process.returncode, out, errors) == (0, b"", b"")


async def test_a_port_in_use() -> None:
    """A port that is taken is one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sandbox", "--port", port),
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 1
    assert errors.decode().startswith("the sandbox cannot listen on 127.0.0.1, port " + port)
    assert errors.count(b"\n") == 1
