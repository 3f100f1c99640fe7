"""The half of the demo that draws its own case, on fewer pictures."""

import dataclasses
import io

import pytest
from rich.console import Console

from deepdebug.case.folder import TEST, TRAINING
from deepdebug.demo import gaze
from deepdebug.simulate.sampling import IMPROVEMENT

pytestmark = pytest.mark.slow


def test_groups_are_shown_beside_the_truth(tmp_path, monkeypatch):
    counts = {TRAINING: 600, TEST: 300, IMPROVEMENT: 8}
    monkeypatch.setattr(gaze, "SIZE", dataclasses.replace(gaze.SIZE, pictures=counts, epochs=2))
    told = io.StringIO()
    analysis = gaze.show_gaze(tmp_path, Console(file=told, width=200))
    assert analysis.sets[0][:2] == (TEST, 300)
    assert (tmp_path / "gaze" / "T" / "report.html").is_file()
    said = told.getvalue()
    assert "Why does it fail?" in said
    after = said.partition("The simulator knows")[2]
    for group in analysis.groups:
        assert f"\n{group.number:>5}  " in after
