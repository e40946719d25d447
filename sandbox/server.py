"""Both ports of the sandbox: the API with its control face, and the media host."""

import socket
from collections.abc import Sequence

from aiohttp import web

from sandbox.calls import (
    accounts,
    configuration,
    content,
    control,
    deletion,
    messages,
    oauth,
    subscriptions,
    sync,
    texting,
    updates,
)
from sandbox.emulator import Emulator
from sandbox.exchange import Operation
from sandbox.gateway import Gateway
from sandbox.notifications.outbox import Outbox
from sandbox.settings import Settings

API_OPERATIONS: Sequence[Operation] = (
    *oauth.OPERATIONS,
    *messages.OPERATIONS,
    *sync.OPERATIONS,
    *updates.OPERATIONS,
    *deletion.OPERATIONS,
    *texting.OPERATIONS,
    *subscriptions.OPERATIONS,
    *accounts.OPERATIONS,
    *configuration.OPERATIONS,
)
MAX_BODY = 1 << 30
"""RingCentral documents 100 MB; the control face takes files of any sensible size."""
MEDIA_OPERATIONS: Sequence[Operation] = content.OPERATIONS


class Server:
    """The sandbox's listeners and everything behind them."""

    def __init__(self, settings: Settings) -> None:
        """Take both ports; raises OSError when one is in use."""
        self._api_socket = _bind(settings.host, settings.port)
        try:
            self._media_socket = _bind(settings.host, settings.media_port)
        except OSError:
            self._api_socket.close()
            raise
        self.emulator = Emulator(settings, _url(self._api_socket), _url(self._media_socket))
        self.outbox = Outbox(self.emulator)
        self._runners: list[web.AppRunner] = []

    async def start(self) -> None:
        """Begin to answer."""
        gateway = Gateway(self.emulator)
        api = web.Application(client_max_size=MAX_BODY)
        control.mount(api, self)
        gateway.mount(api, API_OPERATIONS)
        media = web.Application()
        gateway.mount(media, MEDIA_OPERATIONS)
        for app, listener in ((api, self._api_socket), (media, self._media_socket)):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
            self._runners.append(runner)
            await runner.setup()
            await web.SockSite(runner, listener, backlog=1024).start()

    async def stop(self) -> None:
        """Stop answering and notifying, and give the ports back."""
        self.emulator.clock.stop()
        await self.outbox.close()
        for runner in self._runners:
            await runner.cleanup()
        await self.emulator.webhooks.close()
        self._api_socket.close()
        self._media_socket.close()


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"
