"""What RingCentral asks of every answer beyond the description: loaded by Schemathesis.

Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

from typing import Any

import schemathesis

LARGEST_ANSWER = 1024


@schemathesis.check  # type: ignore[untyped-decorator]  # installed for the fuzz run alone
def small_answers(_context: Any, response: Any, _case: Any) -> None:
    """Below 1024 bytes with headers, and JSON by its type."""
    head = sum(
        len(f"{name}: {value}\r\n") for name, values in response.headers.items() for value in values
    )
    size = len("HTTP/1.1 200 OK\r\n\r\n") + head + len(response.content)
    assert size < LARGEST_ANSWER, f"an answer of {size} bytes"
    kinds = response.headers["content-type"]
    assert kinds == ["application/json"], f"an answer of type {kinds}"
    assert response.headers["server"] == ["ringpost"]
