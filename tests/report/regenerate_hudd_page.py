"""Write the golden page of clusters anew: `python -m tests.report.regenerate_hudd_page`, then read the diff."""

from __future__ import annotations

import re
from pathlib import Path

from deepdebug.report.hudd.page import render_hudd
from tests.golden.cases import HOSTILE
from tests.report.hudd_factory import FakePictures, analysis

FILE = Path(__file__).parents[1] / "golden" / "hudd_page.html"


def rendered() -> str:
    """Return the page without its style and without the bytes of its images, which differ between encoders."""
    named = analysis(model=HOSTILE)
    page = render_hudd(named, FakePictures())
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    return re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "data:", page)


def main() -> None:
    """Write the file."""
    FILE.write_text(rendered(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
