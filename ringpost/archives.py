"""Which archive a command is for, and which mailbox in it; needs neither Redis nor RingCentral."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox

_SOME = 10


def find_archives(
    folder: Path | None, handler: str | None, config: Path | None
) -> dict[Path, timedelta | None]:
    """The folders to look at, and how long messages are kept there; None is for ever.

    Those of the configuration, or of one handler in it, or the folder given, of which nobody knows
    how long. Raises Refusal.
    """
    if folder is not None:
        if handler is not None:
            raise Refusal("--handler: a folder is given as well; leave one of them out")
        return {_existing(folder.absolute()): None}
    from ringpost.data_directory import DataDirectory
    from ringpost.surroundings import read_configuration, running_settings
    from worker.archive.places import places

    settings = running_settings()
    path = config or settings.config
    _, handlers = read_configuration(path, DataDirectory(settings.data).running_environ())
    if handler is not None and handler not in handlers:
        names = ", ".join(sorted(handlers))
        raise Refusal(f'--handler "{handler}": {path} has no handler of this name, only {names}')
    found = places({n: h for n, h in handlers.items() if handler in (None, n)})
    if not found:
        what = f'--handler "{handler}" is no archive' if handler else f"{path} names no archive"
        raise Refusal(f'{what}; name a handler with use = "archive", or the folder itself')
    for root in found:
        _existing(root)
    return found


def one_archive(folder: Path | None, handler: str | None, config: Path | None) -> Path:
    """The one folder to look at; raises Refusal, also if there are several."""
    roots = list(find_archives(folder, handler, config))
    if len(roots) > 1:
        names = ", ".join(map(str, roots))
        raise Refusal(f"there are several archives ({names}); name one, or use --handler")
    return roots[0]


def find_mailbox(root: Path, text: str) -> "Mailbox":
    """The mailbox `account/extension`, or the only one of this extension id; raises Refusal."""
    from worker.archive.layout import mailboxes

    found = list(mailboxes(root))
    meant = [one for one in found if text in (str(one), one.extension_id)]
    if len(meant) == 1:
        return meant[0]
    some = ", ".join(str(one) for one in (meant or found)[:_SOME]) or "none at all"
    more = " and more" if len(meant or found) > _SOME else ""
    what = "several have this extension" if meant else f"{root} has no such mailbox"
    raise Refusal(f'--mailbox "{text}": {what}; there are: {some}{more}')


def parse_date(option: str, text: str | None) -> date | None:
    """A day such as `2026-01-31`; raises Refusal."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone
    except ValueError:
        raise Refusal(f'{option} "{text}": is no day; write such as 2026-01-31') from None


def _existing(root: Path) -> Path:
    if not root.is_dir():
        raise Refusal(f"{root}: there is no such folder, so no archive yet")
    return root
