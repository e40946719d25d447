"""A real browser without a window: pages as people see them, measured and photographed."""

import asyncio
import base64
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_STARTS_WITHIN = 60.0
_ANSWERS_WITHIN = 30.0


def browser_path() -> str | None:
    """Where a browser of Chromium's kind is, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Tab:
    """One page of a browser, spoken to in the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._session: str | None = None

    async def open(self) -> None:
        """Make the page."""
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        await self._call("Page.enable")

    async def look_like(self, *, width: int, dark: bool = False) -> None:
        """Be a phone so many CSS pixels wide, by day or by night."""
        await self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=700,
            deviceScaleFactor=2,
            mobile=True,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._call("Emulation.setEmulatedMedia", media="screen", features=[scheme])

    async def show(self, html: str) -> None:
        """Show a document, and wait for its pictures."""
        frame = (await self._call("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        await self._call("Page.setDocumentContent", frameId=frame, html=html)
        await self.ask("Promise.all([...document.images].map(i => i.decode().catch(() => 0)))")

    async def go(self, address: str) -> None:
        """Go to an address."""
        await self._call("Page.navigate", url=address)

    async def press(self, selector: str) -> None:
        """Press what stands there as a finger does."""
        box = await self.ask(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector('{selector}').getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self._call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )

    async def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        answer = await self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def picture(self) -> bytes:
        """The whole page as a PNG."""
        height = await self.ask("Math.ceil(document.body.getBoundingClientRect().height)")
        width = await self.ask("window.innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = await self._call(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        return base64.b64decode(answer["data"])

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            call["sessionId"] = self._session
        await self._socket.send_json(call)
        async with asyncio.timeout(_ANSWERS_WITHIN):
            while True:
                answer = await self._socket.receive_json()
                if answer.get("id") == number:
                    assert "error" not in answer, f"{method}: {answer['error']}"
                    result: dict[str, Any] = answer["result"]
                    return result


@asynccontextmanager
async def browser() -> AsyncIterator[Tab]:
    """A page of a browser that ends with the block; the browser must be there."""
    path = browser_path()
    assert path is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            path,
            "--headless=new",
            "--no-sandbox",  # root in a container may not have one; it shows our own pages only
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            address = await _address(process)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                tab = Tab(socket)
                await tab.open()
                yield tab
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(_STARTS_WITHIN):
        async for line in process.stderr:
            if found := re.search(rb"DevTools listening on (ws://\S+)", line):
                return found[1].decode()
    raise AssertionError("the browser ended before it listened")


def optimised(path: Path) -> None:
    """Make a PNG smaller, if the programs for it are there."""
    for name, *options in (("pngquant", "--force", "--output", str(path)), ("optipng", "-quiet")):
        if program := shutil.which(name):
            subprocess.run([program, *options, str(path)], check=True)
