"""What handlers need to know of links: whether they can be made, and what a mail says of them."""

from datetime import datetime, timedelta, tzinfo

from worker.settings import environment


def insist_on_links() -> None:
    """Raise ValueError if no links can be made."""
    if not environment().get("LINKS_URL"):
        raise ValueError(
            "needs LINKS_URL, the public address at which links are opened, such as "
            "https://links.example.com"
        )


def about_links(views: int, expires_in: timedelta, zone: tzinfo) -> str:
    """How often and until when links can be opened."""
    until = datetime.now(zone) + expires_in
    often = "once" if views == 1 else f"{views} times"
    return f"A link opens {often}, until {until.day} {until:%b %Y, %H:%M} {until.tzname()}."
