"""`deepdebug explain`: what a check measures, why it matters and how to fix what it finds."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from deepdebug.cli.rule_page import RulePage, rule_page
from deepdebug.detectors.registry import all_rules, select_rules
from deepdebug.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

AS_WRITTEN = ("Args", "Example")
INDENT = "    "


def explain(
    name: Annotated[
        str, typer.Argument(help="A code (DD101), the start of one (DD1), a symptom (dead-units) or DNS.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="List every check in one line.")] = False,
) -> None:
    """Tell what a check measures and how to fix it.

    \b
    Examples:
      deepdebug explain DD101        one check
      deepdebug explain DD1          every check of the family DD1
      deepdebug explain --all        the index
    """  # noqa: D301 - typer keeps the lines that follow it
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if every:
        for rule in all_rules():
            page = rule_page(rule)
            console.print(f"{page.code}  {page.symptom:<26} {page.abbreviation:<5} {page.summary}", soft_wrap=True)
        return
    if not name:
        raise UsageError("`explain` got no check. Name one, as in `deepdebug explain DD101`, or pass --all.")
    for rule in select_rules((name,)):
        _show(rule_page(rule), console)


def _show(page: RulePage, console: Console) -> None:
    console.print(page.title, style="bold")
    console.print(page.summary)
    for heading, text in page.sections.items():
        console.print(f"\n{heading}", style="bold")
        console.print(_as_written(text) if heading in AS_WRITTEN else _reflowed(text, console.width), soft_wrap=True)
    console.print("\nSwitch it off", style="bold")
    console.print(f'{INDENT}Diagnose(ignore=["{page.code}"])\n')


def _as_written(text: str) -> str:
    return textwrap.indent(text, INDENT)


def _reflowed(text: str, width: int) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(textwrap.fill(one, width, initial_indent=INDENT, subsequent_indent=INDENT) for one in paragraphs)
