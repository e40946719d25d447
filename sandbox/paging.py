"""Lists in pages: which records a page holds, and what the answer says about the others."""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

MAX_PER_PAGE = 1000
T = TypeVar("T")


def page_of(records: Sequence[T], page: int, per_page: int) -> Sequence[T]:
    """The records of one page, counted from 1."""
    return records[(page - 1) * per_page : page * per_page]


def paging(total: int, page: int, per_page: int, *, counts: bool = True) -> dict[str, int]:
    """The `paging` member; a page beyond the end has no first and last element."""
    first = (page - 1) * per_page
    totals = {"totalPages": -(-total // per_page), "totalElements": total} if counts else {}
    if first >= total:
        return {"page": page, "perPage": per_page, **totals}
    return {
        "page": page,
        "perPage": per_page,
        "pageStart": first,
        "pageEnd": min(first + per_page, total) - 1,
        **totals,
    }


def navigation(
    uri: str, asked: Sequence[tuple[str, str]], total: int, page: int, per_page: int
) -> dict[str, Any]:
    """The `navigation` member: addresses of the neighbouring pages, as far as there are any."""
    last = max(1, -(-total // per_page))
    pages = {"firstPage": 1, "lastPage": last}
    if page < last:
        pages["nextPage"] = page + 1
    if page > 1:
        pages["previousPage"] = page - 1
    return {name: {"uri": address(uri, asked, number, per_page)} for name, number in pages.items()}


def address(uri: str, asked: Sequence[tuple[str, str]], page: int, per_page: int) -> str:
    """The address of one page."""
    members = [*asked, ("page", str(page)), ("perPage", str(per_page))]
    return uri + "?" + "&".join(f"{name}={quote(value, safe=':')}" for name, value in members)
