"""Links from the worker that makes them to the browser that opens them, on a real Redis."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from ringpost.links.guesses import MOST
from ringpost.links.server import create_server
from tests.support.browser import browser, browser_path
from tests.support.waiting import Eventually
from worker.handlers.mail_files import in_one_chunk
from worker.ledger import Ledger, open_ledger
from worker.links.making import LinkMaker
from worker.links.token import LinkToken
from worker.links.upkeep import delete_dead_links

DAY = timedelta(days=1)


class Links:
    """A maker and a server of links over one folder and one Redis."""

    def __init__(
        self, folder: Path, ledger: Ledger, port: int, session: aiohttp.ClientSession
    ) -> None:
        self.folder = folder
        self.ledger = ledger
        self.session = session
        self.maker = LinkMaker(folder, ledger.links, f"http://127.0.0.1:{port}/sub/path/")

    async def make(self, text: str = "a secret", views: int = 1, **more: object) -> str:
        name, content_type = str(more.get("name", "x.pdf")), str(more.get("type", "text/plain"))
        expires_in = more.get("expires_in", DAY)
        assert isinstance(expires_in, timedelta)
        chunks = in_one_chunk(text)
        return await self.maker.keep(name, content_type, chunks, expires_in=expires_in, views=views)

    async def ask(self, address: str, method: str = "POST") -> tuple[int, bytes, dict[str, str]]:
        async with self.session.request(method, address) as answer:
            return answer.status, await answer.read(), dict(answer.headers)


@pytest.fixture
async def links(redis_url: str, tmp_path: Path) -> AsyncIterator[Links]:
    """With nothing in it yet."""
    folder = tmp_path / "links"
    async with open_ledger(redis_url) as ledger, aiohttp.ClientSession() as session:
        runner = web.ServerRunner(create_server(folder, ledger.links), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield Links(folder, ledger, site.port, session)
        await runner.cleanup()


async def test_a_link_opens_once(links: Links) -> None:
    """Looking at it, as scanners do, opens nothing; pressing the button does, one time."""
    address = await links.make()
    for method in ("GET", "GET", "HEAD", "GET"):
        status, body, _ = await links.ask(address, method)
        assert status == 200
        assert b"a secret" not in body
        assert (b'<form method="post">' in body) is (method == "GET")
    status, body, _ = await links.ask(address)
    assert (status, body) == (200, b"a secret")
    assert list(links.folder.iterdir()) == []
    for method in ("GET", "POST"):
        assert (await links.ask(address, method))[0] == 404


async def test_as_often_as_was_said(links: Links) -> None:
    """Of twenty who press at the same moment three get it; the file is gone after the third."""
    address = await links.make(views=3)
    answers = await asyncio.gather(*(links.ask(address) for _ in range(20)))
    bodies = [body for status, body, _ in answers if status == 200]
    assert bodies == [b"a secret"] * 3
    assert list(links.folder.iterdir()) == []


async def test_whatever_is_wrong_looks_the_same(links: Links, eventually: Eventually) -> None:
    """Never made, opened, expired, withdrawn, lost, changed, no link at all: one page."""
    base = (await links.make()).rpartition("/")[0]
    expired = await links.make(expires_in=timedelta(seconds=1))
    opened, withdrawn, lost, changed = [await links.make() for _ in range(4)]
    await links.ask(opened)
    await links.maker.withdraw([withdrawn])
    paths = [links.folder / _token(address).id for address in (lost, changed)]
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    gone = _token(expired).id

    async def is_over() -> bool:
        return not await links.ledger.links.is_open(gone)

    await eventually(is_over)
    never = f"{base}/{LinkToken.new()}"
    wrong = [never, expired, opened, withdrawn, lost, base, f"{base}/../etc/passwd", f"{base}/a"]
    answers = [await links.ask(address) for address in wrong]
    answers.append(await links.ask(changed, "PUT"))
    assert {status for status, _, _ in answers} == {404}
    assert len({body for _, body, _ in answers}) == 1
    told = {
        tuple((name, value) for name, value in headers.items() if name != "Date")
        for _, _, headers in answers
    }
    assert len(told) == 1
    with pytest.raises(aiohttp.ClientError):
        await links.ask(changed)


async def test_headers_of_what_is_opened(links: Links) -> None:
    """A file is saved, never shown; our page is shown without scripts; nothing is kept."""
    file = await links.make(name='"Łódź"; x.pdf', type="application/pdf")
    page = await links.make("<p>Hello", type="text/html")
    _, _, of_file = await links.ask(file)
    _, _, of_page = await links.ask(page)
    assert of_file["Content-Type"] == "application/pdf"
    name = "%22%C5%81%C3%B3d%C5%BA%22%3B%20x.pdf"
    assert of_file["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert of_file["Content-Length"] == "8"
    assert of_page["Content-Type"] == "text/html; charset=utf-8"
    assert "Content-Disposition" not in of_page
    for headers in (of_file, of_page):
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_redis_and_disk_open_nothing(links: Links) -> None:
    """Whoever has both finds no text, no name, and no way back to the link."""
    address = await links.make("a secret", name="secret.pdf")
    kept = b"".join(path.read_bytes() + path.name.encode() for path in links.folder.iterdir())
    redis = links.ledger.connection.redis
    for key in await redis.keys("*link*"):
        kept += f"{key} {await redis.lrange(key, 0, -1)}".encode()
    token = _token(address)
    for secret in (b"secret", str(token).encode(), token.secret, token.key):
        assert secret not in kept
    assert token.id.encode() in kept


async def test_who_guesses_is_not_listened_to(links: Links) -> None:
    """After 20 wrong links nothing is looked at, not even what would be right."""
    right = await links.make()
    base = right.rpartition("/")[0]
    wrong = [await links.ask(f"{base}/{LinkToken.new()}") for _ in range(MOST + 3)]
    assert [status for status, _, _ in wrong] == [404] * MOST + [429] * 3
    assert (await links.ask(right))[0] == 429
    async with links.session.post(right, headers={"X-Forwarded-For": "192.0.2.7"}) as answer:
        assert answer.status == 200


async def test_without_redis(links: Links, redis_url: str) -> None:
    """A Redis that is away costs no view: the answer is to try again later."""
    address = await links.make()

    async def away(_: str) -> bool:
        raise TimeoutError

    links.ledger.links.spend, spend = away, links.ledger.links.spend  # type: ignore[method-assign,assignment]  # it is away
    assert (await links.ask(address))[0] == 503
    links.ledger.links.spend = spend  # type: ignore[method-assign]  # it is back
    assert (await links.ask(address))[:2] == (200, b"a secret")


async def test_upkeep_deletes_what_nobody_can_open(links: Links) -> None:
    """Files of links that are over go; those that open, and those in the making, stay."""
    addresses = [await links.make() for _ in range(3)]
    names = [_token(address).id for address in addresses]
    for name in names[:2]:
        os.utime(links.folder / name, (0, 0))
    await links.ledger.links.forget(names[0])
    await links.ledger.links.forget(names[2])
    assert await delete_dead_links(links.folder, links.ledger.links) == 1
    assert {path.name for path in links.folder.iterdir()} == set(names[1:])
    assert await delete_dead_links(links.folder / "none", links.ledger.links) == 0


async def test_a_large_file_takes_little_memory(links: Links) -> None:
    """60 MiB go in and out in pieces."""
    size = 60 * 1024 * 1024

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 1024**2):
            yield bytes(1024**2)

    tracemalloc.start()
    try:
        address = await links.maker.keep("x", "application/pdf", chunks(), expires_in=DAY, views=1)
        got = 0
        async with links.session.post(address) as answer:
            async for piece in answer.content.iter_any():
                got += len(piece)
        assert got == size
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(browser_path() is None, reason="no Chromium on this machine")
async def test_in_a_browser(links: Links, eventually: Eventually) -> None:
    """The button opens the page, on which no script runs, and a link on it leads on."""
    inner = await links.make()
    page = f"<title>Opened</title><a href='{inner}'>x</a><script>document.title = 'ran'</script>"
    outer = await links.make(page, type="text/html")
    async with browser() as tab:

        def title_is(title: str) -> Callable[[], Awaitable[bool]]:
            async def is_it() -> bool:
                return bool(await tab.ask("document.title") == title)

            return is_it

        await tab.go(outer)
        await eventually(title_is("A message for you"))
        await tab.press("button")
        await eventually(title_is("Opened"))
        await tab.press("a")
        await eventually(title_is("A message for you"))
        await tab.go(outer)
        await eventually(title_is("Nothing is here"))


def _token(address: str) -> LinkToken:
    token = LinkToken.parse(address.rpartition("/")[2])
    assert token is not None
    return token
