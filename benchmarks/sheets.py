"""Results as tables, for a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Args:
        title: What it shows.
        columns: Heads of the columns.
        rows: One text per column each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def print_sheets(tables: Iterable[Sheet], console: Console) -> None:
    """Print tables.

    Args:
        tables: The tables.
        console: Where they go.
    """
    for sheet in tables:
        table = Table(title=sheet.title, title_justify="left", box=box.SIMPLE_HEAD)
        for number, column in enumerate(sheet.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table, markup=False, highlight=False)


def as_markdown(tables: Iterable[Sheet]) -> str:
    """Return tables in Markdown.

    Args:
        tables: The tables.
    """
    parts = []
    for sheet in tables:
        rows = [sheet.columns, ("---", *["---:"] * (len(sheet.columns) - 1)), *sheet.rows]
        parts.append("\n".join([f"{sheet.title}\n", *(f"| {' | '.join(row)} |" for row in rows)]))
    return "\n\n".join(parts) + "\n"
