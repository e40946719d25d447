"""The second mail about a message: an answer to the first, so that both are one thread."""

from worker.handlers.mime import HeaderValue


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail with this idempotency key."""
    return f"<{key[:32]}.ringpost@{domain}>"


def follow_up(
    first_key: str | None, subject: str, domain: str, root: str
) -> dict[str, HeaderValue]:
    """The headers that make a mail follow the one with this key; none if there is no such mail.

    `subject` is that of the first mail: programs that go by it as well would part them otherwise.
    `root` is what all mails of the conversation refer to.
    """
    if first_key is None:
        return {}
    first = message_id(first_key, domain)
    return {"Subject": f"Re: {subject}", "In-Reply-To": first, "References": f"{root} {first}"}
