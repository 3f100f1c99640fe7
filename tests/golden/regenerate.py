"""Write the golden files and the JSON schema anew: `python -m tests.golden.regenerate`, then read the diff."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deepdebug.report import html, json_report
from deepdebug.report.report import FORMATS, Report
from tests.golden.cases import CASES

FOLDER = Path(__file__).parent / "files"
ENDINGS = {"text": "txt", "json": "json", "html": "html", "junit": "xml", "github": "github.txt"}
SCHEMA_FILE = Path(json_report.__file__).parent / json_report.SCHEMA_FILE


def rendered(report: Report, style: str) -> str:
    """Return the report as the golden file has it: without plots, which differ between versions of matplotlib."""
    return html.render(report, plots=False) if style == "html" else report.render(style)


def golden_files() -> Iterator[tuple[Path, str, str]]:
    """Yield the path, the case and the format of every golden file."""
    for case in CASES:
        for style in FORMATS:
            yield FOLDER / f"{case}.{ENDINGS[style]}", case, style


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path, case, style in golden_files():
        path.write_text(rendered(CASES[case](), style), encoding="utf-8", newline="\n")
    SCHEMA_FILE.write_text(json_report.generate_schema(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
