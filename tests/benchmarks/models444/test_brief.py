"""A few models of the set are trained and scored: the score stays in its band, and names change nothing."""

import dataclasses
import json
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from benchmarks.models444.job import Request
from benchmarks.models444.manifest import read_manifest
from benchmarks.models444.running import run_all
from benchmarks.models444.scoring.results import read_results
from benchmarks.models444.scoring.score import score
from benchmarks.models444.subsets import brief

BAND = json.loads((Path(__file__).parent / "brief.json").read_text(encoding="utf-8"))
WORKERS = 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brief")
    request = Request("small", 0, folder, folder)
    rows = brief(read_manifest())
    ended = {row.id: status for row, status in run_all(rows, request, WORKERS)}
    assert set(ended.values()) == {"done"}
    found, lost = read_results(rows, request)
    assert lost == []
    return found


@pytest.mark.slow
def test_score_stays_in_its_band(trained):
    found = score("small", [trained])
    flagged = {one.row.id: one.verdicts["default"].has(("error", "fatal")) for one in trained}
    models = [one.row for one in trained if one.row.source == "autotrainer"]
    right = sum(flagged[row.id] == row.is_buggy for row in models)
    assert len(models) == BAND["models"]
    assert BAND["right"][0] <= right <= BAND["right"][1], flagged
    assert not [row.id for row in models if not row.is_buggy and flagged[row.id]]
    identified = sum("IB" in one.yes for one in found.programs.judged)
    assert BAND["programs"][0] <= identified <= BAND["programs"][1], found.programs.judged


@pytest.mark.slow
def test_other_names_give_the_same_verdicts(trained, tmp_path):
    """No detector goes by an id: with names of other models, the same comes out."""
    some = trained[::4]
    rows = [dataclasses.replace(one.row, id=other.row.id) for one, other in zip(some, some[1:] + some[:1], strict=True)]
    request = Request("small", 0, tmp_path, tmp_path)
    assert {status for _, status in run_all(rows, request, WORKERS)} == {"done"}
    renamed, _ = read_results(rows, request)
    assert [one.verdicts for one in renamed] == [one.verdicts for one in some]
