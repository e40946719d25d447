"""Which hosts may be told the token."""

import pytest

from message_store.server import Server


@pytest.mark.parametrize(
    ("server", "media"),
    [
        ("https://platform.ringcentral.com", "https://media.ringcentral.com"),
        ("https://platform.ringcentral.com/", "https://media.ringcentral.com"),
        ("https://PLATFORM.ringcentral.biz:443", "https://media.ringcentral.biz"),
        ("https://platform.devtest.ringcentral.com", "https://media.devtest.ringcentral.com"),
        ("https://rc.example.com:8443", "https://rc.example.com:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_media_host_is_derived(server: str, media: str) -> None:
    """`platform.` becomes `media.`; a server without it serves its media itself."""
    assert Server.of(server).media == media


@pytest.mark.parametrize(
    "address",
    [
        "",
        "platform.ringcentral.com",
        "ftp://platform.ringcentral.com",
        "https://",
        "https://user:pw@platform.ringcentral.com",
        "https://platform.ringcentral.com/restapi",
        "https://platform.ringcentral.com?x=1",
        "https://platform.ringcentral.com:port",
        "http://platform.ringcentral.com",
        "http://10.0.0.1",
    ],
)
def test_a_wrong_address_is_named(address: str) -> None:
    """The message names the variable and gives the remedy, in one line."""
    with pytest.raises(ValueError, match=r"^RC_SERVER_URL .*https://.*$"):
        Server.of(address)
    with pytest.raises(ValueError, match=r"^RC_MEDIA_URL "):
        Server.of("https://platform.ringcentral.com", address or "x")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://platform.ringcentral.com/restapi/v1.0", True),
        ("https://media.ringcentral.com:443/x", True),
        ("https://MEDIA.ringcentral.com/x", True),
        ("http://media.ringcentral.com/x", False),
        ("https://media.ringcentral.com:444/x", False),
        ("https://media.ringcentral.com.evil.example/x", False),
        ("https://media.ringcentral.com@evil.example/x", False),
        ("https://user@media.ringcentral.com/x", False),
        ("https://evil.example/https://media.ringcentral.com", False),
        ("//media.ringcentral.com/x", False),
        ("/restapi", False),
        ("", False),
        ("https://[", False),
    ],
)
def test_only_the_configured_hosts_are_allowed(url: str, allowed: bool) -> None:
    """Scheme, host and port must all be those of the server or its media host."""
    assert Server.of("https://platform.ringcentral.com").allows(url) is allowed
