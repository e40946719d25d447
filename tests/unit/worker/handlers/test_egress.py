"""The guarded HTTP client of handlers, against a real server on loopback."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from worker.handlers.contract import PermanentError, TransientError
from worker.handlers.egress import MAX_REPLY, Egress, is_public

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


class Names(AbstractResolver):
    """A name server that answers what the test wants."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        return


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The address of a server that echoes, redirects, floods, or breaks off."""

    async def echo(request: web.Request) -> web.Response:
        headers = {"X-Type": request.content_type, "X-Agent": request.headers["User-Agent"]}
        return web.Response(body=await request.read(), headers=headers, status=207)

    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/echo")

    async def flood(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MAX_REPLY + 100_000))

    async def break_off(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    app.router.add_get("/redirect", redirect)
    app.router.add_get("/flood", flood)
    app.router.add_get("/break", break_off)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("ip", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # an address to refuse
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.0.8", False),
        ("192.88.99.1", False),
        ("2001:20::1", False),
        ("3fff::1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("2002:808:808::", True),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::808:808", False),
        ("::10.0.0.1", False),
        ("::8.8.8.8", False),
        ("::ffff:0:10.0.0.1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("not an address", False),
    ],
)
def test_is_public(ip: str, public: bool) -> None:
    """Only addresses out on the internet are, whatever IPv6 clothes an IPv4 address wears."""
    assert is_public(ip) is public


async def test_a_call(address: str) -> None:
    """JSON goes out, and any status comes back as an answer, redirects too."""
    egress = Egress()
    reply = await egress.request("POST", f"{address}/echo", json={"ü": 1}, allow=LOOPBACK)
    assert (reply.status, reply.json()) == (207, {"ü": 1})
    assert (reply.headers["X-Type"], reply.headers["X-Agent"]) == ("application/json", "Ringpost")
    assert (await egress.request("GET", f"{address}/redirect", allow=LOOPBACK)).status == 302
    await egress.close()


async def test_a_flood_is_cut(address: str) -> None:
    """A reply is kept to its bound."""
    egress = Egress()
    assert len((await egress.request("GET", f"{address}/flood", allow=LOOPBACK)).body) == MAX_REPLY
    await egress.close()


async def test_a_peer_that_hangs_up(address: str) -> None:
    """It is worth another attempt; neither path nor query is told."""
    egress = Egress()
    with pytest.raises(TransientError, match=r"127\.0\.0\.1 cannot be reached") as error:
        await egress.request("GET", f"{address}/break?token=secret", allow=LOOPBACK)
    assert "secret" not in str(error.value)
    with pytest.raises(TransientError, match=r"127\.0\.0\.1 cannot be reached: .*"):
        await egress.request("GET", "http://127.0.0.1:1/", allow=LOOPBACK)
    await egress.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"])
async def test_internal_addresses_are_refused(host: str) -> None:
    """A literal internal address is refused before anything is sent."""
    egress = Egress()
    with pytest.raises(PermanentError, match="is not a public address"):
        await egress.request("GET", f"http://{host}/latest/meta-data")
    await egress.close()


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "1.2.3.4.5", "a..b"])
async def test_numbers_in_disguise(host: str) -> None:
    """Other spellings of loopback lead nowhere, and no second attempt."""
    egress = Egress(resolver=Names("127.0.0.1"))
    with pytest.raises(PermanentError, match=r"no host's name|not a public address"):
        await egress.request("GET", f"http://{host}/")
    await egress.close()


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1")])
async def test_a_name_of_an_internal_address(answers: tuple[str, ...], address: str) -> None:
    """A name that leads inside, also beside a public address, is refused."""
    egress = Egress(resolver=Names(*answers))
    with pytest.raises(PermanentError, match=r"refused to call inside\.example: .* not a public"):
        await egress.request("GET", f"http://inside.example:{address.rpartition(':')[2]}/echo")
    await egress.close()


async def test_the_checked_address_is_the_one_called(address: str) -> None:
    """aiohttp connects to what the resolver gave, without asking again."""
    names = Names("127.0.0.1")
    egress = Egress(resolver=names)
    port = address.rpartition(":")[2]
    reply = await egress.request("GET", f"http://named.example:{port}/echo", allow=LOOPBACK)
    assert (reply.status, names.asked) == (207, 1)
    await egress.close()


async def test_what_one_may_reach_another_may_not(address: str) -> None:
    """An address that is allowed in one call is not in the next, though a connection is open."""
    egress = Egress(resolver=Names("127.0.0.1"))
    url = f"http://inside.example:{address.rpartition(':')[2]}/echo"
    assert (await egress.request("POST", url, body=b"a", allow=LOOPBACK)).body == b"a"
    with pytest.raises(PermanentError, match="not a public address"):
        await egress.request("POST", url, body=b"b")
    with pytest.raises(PermanentError, match="not a public address"):
        await egress.request("POST", url, allow=[ipaddress.ip_network("10.0.0.0/8")])
    await egress.close()


async def test_a_body_in_pieces(address: str) -> None:
    """It arrives whole, with the length that is announced."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    egress = Egress()
    headers = {"Content-Length": "3"}
    reply = await egress.request(
        "POST", f"{address}/echo", body=pieces(), headers=headers, allow=LOOPBACK
    )
    assert reply.body == b"abc"
    await egress.close()


async def test_reaching_asks_for_nothing(address: str) -> None:
    """It connects and leaves; nobody there, a name that leads inside and plain text are told."""
    egress = Egress(resolver=Names("127.0.0.1"))
    port = address.rpartition(":")[2]
    await egress.reach(address, allow=LOOPBACK)
    await egress.reach(f"http://inside.example:{port}/hook", allow=LOOPBACK)
    with pytest.raises(PermanentError, match="not a public address"):
        await egress.reach(f"http://inside.example:{port}/hook")
    with pytest.raises(TransientError, match=r"127\.0\.0\.1 cannot be reached"):
        await egress.reach("http://127.0.0.1:1/", allow=LOOPBACK)
    with pytest.raises(TransientError, match="no trusted TLS connection to inside"):
        await egress.reach(f"https://inside.example:{port}/hook", allow=LOOPBACK)
    await egress.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "example.com", ""])
async def test_only_the_web(url: str) -> None:
    """Other schemes and half addresses are refused."""
    with pytest.raises(PermanentError, match="not an address of the web"):
        await Egress().request("GET", url)


async def test_a_bad_header_is_a_bug(address: str) -> None:
    """A header with a line end is refused, not sent."""
    egress = Egress()
    with pytest.raises(PermanentError, match="bad header"):
        await egress.request("GET", f"{address}/echo", headers={"X": "a\r\nY: b"}, allow=LOOPBACK)
    await egress.close()


async def test_closing_twice() -> None:
    """Closing an unused or closed client is harmless."""
    egress = Egress()
    await asyncio.gather(egress.close(), egress.close())
