"""A real SMTP server in the test's process, with TLS, login and a temper."""

import asyncio
import gc
from asyncio.selector_events import _SelectorTransport  # type: ignore[attr-defined]  # private
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as SMTP_POLICY
from typing import Any

import pytest
import uvloop
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.waiting import Eventually

USER, PASSWORD = "phone@example.com", "s3cret/pass@word#"


@dataclass
class Received:
    """A mail as the server got it."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = BytesParser(policy=SMTP_POLICY).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class Temper:
    """What the server answers: `rcpt` by recipient, `data` for the whole mail."""

    rcpt: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    hang_up: bool = False
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += not session.ssl or not server.tls_context
        return answers

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.rcpt:
            return self.rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.hang_up:
            transport: Any = server.transport
            transport.abort()
            return "250 never seen"
        if self.data:
            return self.data.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        assert envelope.mail_from is not None
        self.received.append(Received(envelope.mail_from, list(envelope.rcpt_tos), content))
        return "250 taken"


class _Controller(Controller):
    def _trigger_server(self) -> Any:
        # aiosmtpd wants to know the port that the system has chosen.
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        return super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has no types


@dataclass
class SmtpPeer:
    """A running server and its address."""

    temper: Temper
    port: int

    @property
    def url(self) -> str:
        """Its address without login and TLS."""
        return f"smtp://127.0.0.1:{self.port}"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test here on asyncio's loop and on the worker's: their transports differ."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
async def nothing_is_left_open(eventually: Eventually) -> AsyncIterator[None]:
    """A connection or file that nobody closed is found at once, not whenever memory is cleaned."""
    yield
    await eventually(lambda: not _some_are_closing())
    gc.collect()


def _some_are_closing() -> bool:
    """Whether a connection is on its way out, which takes some turns of the loop."""
    # by type: a lazy object would begin its work when it is asked what it is an instance of
    return any(
        issubclass(type(found), _SelectorTransport)
        and found.is_closing()
        and found._sock is not None
        for found in gc.get_objects()
    )


@pytest.fixture
def smtp_peer() -> Iterator[Callable[..., SmtpPeer]]:
    """`smtp_peer(**options of aiosmtpd's Controller)`: a running SMTP server."""
    controllers: list[Controller] = []

    def start(**options: Any) -> SmtpPeer:
        temper = Temper()
        controller = _Controller(temper, hostname="127.0.0.1", port=0, **options)
        controller.start()
        controllers.append(controller)
        return SmtpPeer(temper, controller.port)

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def login() -> dict[str, Any]:
    """Options of a server that knows USER and PASSWORD."""

    def authenticate(*args: Any) -> AuthResult:
        given = args[-1]
        assert isinstance(given, LoginPassword)
        good = (given.login.decode(), given.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=good, handled=False)

    return {"authenticator": authenticate}
