"""Asking a sandbox in another process, for the command line: one line says what is wrong."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

DEFAULT_URL = "http://127.0.0.1:8090"
URL_VARIABLE = "RINGPOST_SANDBOX_URL"
_BAD_REQUEST, _MISUSED = 400, 2


class SandboxError(Exception):
    """The sandbox does not answer, or says no; the text is one line for a person."""

    def __init__(self, words: str, exit_code: int = 1) -> None:
        super().__init__(words)
        self.exit_code = exit_code


class Remote:
    """The control face of a sandbox that runs elsewhere on this machine."""

    def __init__(self, url: str | None = None) -> None:
        self.url = (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")

    async def send(self, members: Mapping[str, str], files: Sequence[Path]) -> list[dict[str, Any]]:
        """Let messages arrive; answers what was stored."""
        form = aiohttp.FormData(quote_fields=False)  # names as they are, not percent-encoded
        for name, value in members.items():
            form.add_field(name, value)
        for path in files:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise SandboxError(
                    f"--file {path}: {error.strerror}; name a file of yours, or leave --file out",
                    _MISUSED,
                ) from None
            form.add_field("file", data, filename=path.name)
        return await self._ask("POST", "/sandbox/messages", data=form)  # type: ignore[no-any-return]  # JSON

    async def messages(self, extension: str | None = None) -> list[dict[str, Any]]:
        """What is in the mailboxes."""
        query = {"extension": extension} if extension else {}
        return await self._ask("GET", "/sandbox/messages", params=query)  # type: ignore[no-any-return]  # JSON

    async def settings(self, changed: Mapping[str, str]) -> dict[str, Any]:
        """What is chosen, after some of it was changed."""
        method = "PATCH" if changed else "GET"
        return await self._ask(method, "/sandbox/settings", json=changed)  # type: ignore[no-any-return]  # JSON

    async def do(self, sentence: str, members: Mapping[str, Any]) -> Any:
        """Say one sentence; answers what is known afterwards, if anything."""
        return await self._ask("POST", f"/sandbox/do/{sentence}", json=members)

    async def counts(self) -> dict[str, dict[str, int]]:
        """How many requests there were."""
        return await self._ask("GET", "/sandbox/requests/counts")  # type: ignore[no-any-return]  # JSON

    async def facts(self) -> dict[str, Any]:
        """Where everything is."""
        return await self._ask("GET", "/sandbox")  # type: ignore[no-any-return]  # JSON

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        timeout = aiohttp.ClientTimeout(total=60, connect=3)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, self.url + path, **options) as answer,
            ):
                said = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise SandboxError(
                f"no sandbox answers at {self.url}; start one with: ringpost sandbox start"
                f" (or set {URL_VARIABLE})"
            ) from None
        if answer.status >= 400:
            words = str(said.get("message", f"the sandbox answered {answer.status}"))
            raise SandboxError(words, _MISUSED if answer.status == _BAD_REQUEST else 1)
        return said
