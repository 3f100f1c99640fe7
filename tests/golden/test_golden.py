"""Every report format against a file, byte for byte; `python -m tests.golden.regenerate` writes the files anew."""

import pytest

from tests.golden.cases import CASES
from tests.golden.regenerate import FOLDER, golden_files, rendered

FILES = list(golden_files())


@pytest.mark.parametrize(("path", "case", "style"), FILES, ids=[path.name for path, _, _ in FILES])
def test_report_equals_the_golden_file(path, case, style):
    assert rendered(CASES[case](), style) == path.read_bytes().decode()


def test_no_golden_file_is_left_over():
    assert {path.name for path in FOLDER.iterdir()} == {path.name for path, _, _ in FILES}
