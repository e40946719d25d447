"""What SMTP errors mean for a delivery, in words that hold no mail address."""

import re
import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPTimeoutError,
)

from worker.handlers.contract import HandlerError, PermanentError, TransientError
from worker.handlers.plain_text import one_line
from worker.handlers.smtp_server import SmtpServer

_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")


def reply_words(code: int, text: str) -> str:
    """A server's reply in one short line; mail addresses in it are left out."""
    return f"{code} {one_line(_ADDRESS.sub('...', text), 160)}".strip()


def handler_error(error: Exception, server: SmtpServer) -> HandlerError:
    """The HandlerError for whatever went wrong between us and the server."""
    if isinstance(error, HandlerError):
        return error
    if isinstance(error, SMTPAuthenticationError):
        # It says nothing of the message: once the password is right it goes out.
        said = error.message.replace(server.password or "\0", "***")
        return TransientError(
            f"{server} refused the login ({reply_words(error.code, said)}); "
            "check user and password in the option smtp, or the variable it is taken from"
        )
    certificate = _certificate_error(error)
    if certificate is not None:
        return TransientError(
            f"the certificate of {server} is not trusted ({certificate.verify_message}); "
            "correct the host name, or name the authority's file in the option ca"
        )
    if isinstance(error, SMTPResponseException):
        words = f"{server} answered {reply_words(error.code, error.message)}"
        # No reply code at all is a garbled line, not a verdict.
        return PermanentError(words) if 500 <= error.code < 600 else TransientError(words)
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return TransientError(f"{server} did not answer in time")
    if isinstance(error, ConnectionError) and not isinstance(error, SMTPConnectError):
        return TransientError(f"{server} broke the connection off")
    if isinstance(error, OSError):
        return TransientError(
            f"no connection to {server}: {_reason(error)}; see that the mail server runs and is "
            "reachable, or correct the option smtp"
        )
    if isinstance(error, SMTPException):
        return PermanentError(f"{server}: {one_line(_ADDRESS.sub('...', error.message), 160)}")
    raise error


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    found = _cause(error, ssl.SSLCertVerificationError)
    return found if isinstance(found, ssl.SSLCertVerificationError) else None


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _reason(error: Exception) -> str:
    cause = _cause(error, OSError)
    while cause is not None and isinstance(cause, SMTPException):
        cause = _cause(cause.__cause__, OSError)
    if isinstance(cause, OSError):
        return one_line(cause.strerror or str(cause), 100)
    return "closed by the server" if isinstance(error, ConnectionError) else type(error).__name__
