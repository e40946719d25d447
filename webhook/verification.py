"""Who is calling: RingCentral with our verification token, or its handshake with its own.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

import hmac
import re
from collections.abc import Mapping, Sequence

_ECHO = re.compile(r"[0-9A-Za-z._~+/=:-]{1,256}")


class Verifier:
    """Compares what a request presents with our one or two verification tokens."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tuple(token.encode() for token in tokens)

    def accepts(self, headers: Mapping[str, str]) -> bool:
        """Whether a request presents one of our tokens, found out in constant time.

        The guide's current page calls the header of notifications `Validation-Token`; the
        specification and every report from the field say `Verification-Token`. Either will do.
        """
        return self._is_ours(headers.get("Verification-Token")) or self._is_ours(
            headers.get("Validation-Token")
        )

    def _is_ours(self, presented: str | None) -> bool:
        if presented is None:
            return False
        given = presented.encode("utf-8", "surrogateescape")
        same = False
        for token in self._tokens:
            same |= hmac.compare_digest(token, given)
        return same


def may_be_echoed(validation_token: str) -> bool:
    """Whether a handshake's token is short and plain enough to be sent back in a header."""
    return _ECHO.fullmatch(validation_token) is not None
