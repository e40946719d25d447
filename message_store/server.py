"""Which hosts are RingCentral's: the only ones our token may reach."""

import ipaddress
from dataclasses import dataclass
from typing import Self

from yarl import URL


@dataclass(frozen=True, slots=True)
class Server:
    """The two entry points, as origins without a trailing slash (`https://host[:port]`)."""

    api: str
    media: str

    @classmethod
    def of(cls, server_url: str, media_url: str | None = None) -> Self:
        """Read `RC_SERVER_URL` and `RC_MEDIA_URL`; ValueError says which one is wrong and why.

        Without a media address it is the server's with `platform.` replaced by `media.`.
        Source: https://developers.ringcentral.com/guide/basics/media
        """
        api = _origin("RC_SERVER_URL", server_url)
        if media_url:
            return cls(api, _origin("RC_MEDIA_URL", media_url))
        return cls(api, api.replace("platform.", "media.", 1))

    def allows(self, url: str | URL) -> bool:
        """Whether a request to this address may carry the token (same scheme, host and port)."""
        try:
            parsed = url if isinstance(url, URL) else URL(url)
            if not parsed.absolute or parsed.user is not None or parsed.password is not None:
                return False
            return str(parsed.origin()) in (self.api, self.media)
        except ValueError:
            return False


def _origin(name: str, text: str) -> str:
    try:
        url = URL(text.strip())
        origin = str(url.origin())
        bare = url.path in {"", "/"} and not url.query_string and not url.fragment
    except ValueError:
        origin, bare, url = "", False, URL()
    if url.scheme not in {"http", "https"} or not url.host or not bare or url.user is not None:
        raise ValueError(
            f"{name} is not a server address; give it as https://platform.ringcentral.com"
        )
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ValueError(
            f"{name} begins with http:// and would show the token to the network; "
            f"use https://{url.host} (http:// is for this machine only)"
        )
    return origin


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
