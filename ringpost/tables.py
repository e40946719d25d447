"""Tables for people: what identifies stays whole, and what matters least goes when it is narrow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from ringpost.output import NOTHING, console
from ringpost.plain import plain

_GAP = 2
_NARROWEST = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; `folds` if its words may take several lines, so that it needs little width.

    The column with the highest `spare` is left out first where the width does not do for all;
    one without is always there.
    """

    heading: str
    folds: bool = False
    spare: int = 0


def show_table(columns: Sequence[str | Column], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; on a pipe nothing is left out or cut to a terminal's width."""
    heads = [Column(column) if isinstance(column, str) else column for column in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    shown, needed = _that_fit(heads, cells, console().width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for index in shown:
        head = heads[index]
        least = _least(head, _texts(head, cells, index))
        table.add_column(
            head.heading,
            header_style="bold",
            no_wrap=not head.folds,
            overflow="fold",
            min_width=least,
        )
    for row in cells:
        table.add_row(*(Text(row[index]) for index in shown))
    console().print(table, width=max(needed, console().width), crop=False)


def _that_fit(
    heads: Sequence[Column], cells: Sequence[Sequence[str]], width: int
) -> tuple[list[int], int]:
    """The columns that go into the width, and the width that they need at least."""
    widths = [_least(head, _texts(head, cells, i)) for i, head in enumerate(heads)]
    empty = {i for i in range(len(heads)) if all(row[i] == NOTHING for row in cells)}
    order = [i for i, head in enumerate(heads) if head.spare]
    order.sort(key=lambda i: (i in empty, heads[i].spare), reverse=True)
    shown = list(range(len(heads)))
    while True:
        needed = sum(widths[i] for i in shown) + _GAP * (len(shown) - 1)
        if needed <= width or not order:
            return shown, needed
        shown.remove(order.pop(0))


def _texts(head: Column, cells: Sequence[Sequence[str]], index: int) -> list[str]:
    return [head.heading, *(row[index] for row in cells)]


def _least(head: Column, texts: Sequence[str]) -> int:
    natural = max(cell_len(line) for text in texts for line in text.split("\n"))
    return max(cell_len(head.heading), min(natural, _NARROWEST)) if head.folds else natural


def _cell(value: object) -> str:
    return plain(NOTHING if value in (None, "") else str(value)) or NOTHING
