"""The demo: what deepdebug says of trainings that fail, and of a trained model that fails on some images."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from deepdebug.demo.digits import show_digits
from deepdebug.demo.gaze import show_gaze


def main(out: Path = Path("deepdebug-demo")) -> None:
    """Show both halves; print what happens and write the reports.

    Args:
        out: Folder for the reports. Defaults to `deepdebug-demo` in the current folder.
    """
    console = Console(highlight=False)
    show_digits(out, console)
    show_gaze(out, console)
