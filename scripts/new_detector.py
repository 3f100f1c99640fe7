#!/usr/bin/env python3
"""Write the file and the test of a new check, to be filled in.

    python scripts/new_detector.py DD112 noisy-units UCS

The code must be free; the name becomes the symptom, the class and the names of both files; the abbreviation is one of
the published Table III or a new one. The check is found because it stands in the folder; besides the two files it needs
a sick program and its repaired twin in `tests/backends/twins.py`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DETECTOR = '''"""{code} {symptom}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.findings import finding
from deepdebug.observation import Run
from deepdebug.records import Finding


@dataclass(frozen=True)
class {name}:
    """Find TODO in one sentence.

    What it does:
        TODO which number, of which layers or of the run, at which checks.

    Why it matters:
        TODO what goes wrong in a training that shows it.

    How to fix:
        TODO the usual remedies, the likeliest first.

    Args:
        max_fraction: TODO what it bounds, its unit and range. Defaults to `0.5` (TODO source, or the command that set
            it).

    Example:

    >>> {name}(max_fraction=0.4).code
    '{code}'
    """

    code: ClassVar[str] = "{code}"
    symptom: ClassVar[str] = "{symptom}"
    abbreviation: ClassVar[str] = "{abbreviation}"
    max_fraction: float = 0.5

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer whose TODO exceeds `max_fraction`."""
        now = run.observations[-1]
        for layer in now.layers:
            share = layer.dead_fraction  # TODO the number that this check is about
            if share is not None and share > self.max_fraction:
                yield finding(
                    self,
                    now,
                    severity="warn",
                    layer=layer.name,
                    location="FW",
                    value=share,
                    threshold=self.max_fraction,
                    message=f"TODO {{share:.0%}} of layer '{{layer.name}}'",
                    healthy="TODO",
                )
'''
TEST = """import pytest

from deepdebug.detectors.{module} import {name}
from tests.factory import change_layer, healthy_run


def test_sick_layer_is_reported_with_its_share():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.6)
    (finding,) = {name}().detect(run)
    assert (finding.layer, finding.value, finding.severity) == ("hidden", 0.6, "warn")


def test_share_below_the_threshold_is_silent():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.49)
    assert list({name}().detect(run)) == []


def test_without_the_numbers_it_is_not_judged():
    pytest.fail("TODO a run without the needed numbers; and a Twin in tests/backends/twins.py")
"""


def write(root: Path, code: str, symptom: str, abbreviation: str) -> tuple[Path, Path]:
    """Write both files below `root` and return their paths.

    Raises:
        SystemExit: When the code or a file exists already, or a name is malformed.
    """
    if not re.fullmatch(r"DD[1-4]\d\d", code):
        sys.exit(f"The code is {code!r}; expected DD1xx (outputs), DD2xx (weights), DD3xx (metrics) or DD4xx (set-up).")
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", symptom):
        sys.exit(f"The symptom is {symptom!r}; expected lower-case words joined by hyphens, such as dead-units.")
    detectors = root / "deepdebug" / "detectors"
    for file in detectors.glob("*.py"):
        if f'"{code}"' in file.read_text(encoding="utf-8"):
            sys.exit(f"{code} is taken by {file.name}. A code is never used again; choose the next free one.")
    module = symptom.replace("-", "_")
    words = {
        "code": code, "symptom": symptom, "abbreviation": abbreviation, "module": module,
        "name": symptom.title().replace("-", ""),
    }  # fmt: skip
    files = (detectors / f"{module}.py", root / "tests" / "detectors" / f"test_{module}.py")
    for file in files:
        if file.exists():
            sys.exit(f"{file} exists already. Choose another name.")
    for file, template in zip(files, (DETECTOR, TEST), strict=True):
        file.write_text(template.format(**words), encoding="utf-8")
    return files


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files that the command line asks for and name them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("code", help="a free code, such as DD112")
    parser.add_argument("symptom", help="name of the symptom, such as noisy-units")
    parser.add_argument("abbreviation", help="abbreviation of the symptom, such as UCS")
    options = parser.parse_args(arguments)
    for file in write(ROOT, options.code, options.symptom, options.abbreviation):
        print(f"Wrote {file.relative_to(ROOT)}")
    print("Fill in every TODO and add a twin to tests/backends/twins.py, then run scripts/test.")


if __name__ == "__main__":
    main()
