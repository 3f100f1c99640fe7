"""The manifest holds the published facts: counts, verdicts, and what is known of each model and program."""

from collections import Counter

import pytest
from pydantic import ValidationError

from benchmarks.models444.manifest import MANIFEST, architectures, fixed, programs, read_manifest


@pytest.fixture(scope="module")
def every():
    return read_manifest()


@pytest.fixture(scope="module")
def rows(every):
    return [row for row in every if row.source == "autotrainer"]


def test_every_model_is_there_once_with_its_published_label(every, rows):
    assert len({row.id for row in every}) == len(every) == 444
    assert Counter(row.source for row in every) == {
        "autotrainer": 391, "stackoverflow": 30, "github": 11, "umlaut": 12,
    }  # fmt: skip
    assert Counter((row.dataset, row.group) for row in rows) == {
        ("Blob", "buggy"): 48, ("Blob", "normal"): 39, ("Circle", "buggy"): 71, ("Circle", "normal"): 36,
        ("MNIST", "buggy"): 38, ("MNIST", "normal"): 78, ("CIFAR", "buggy"): 46, ("CIFAR", "normal"): 35,
    }  # fmt: skip


def test_fidelity_is_what_could_be_recovered(rows):
    assert Counter(row.fidelity for row in rows) == {"exact": 16, "default": 125, "stand-in": 250}
    kept = [row for row in rows if row.fidelity != "stand-in"]
    assert Counter(row.group for row in kept if row.structure == "exact") == {"buggy": 48, "normal": 16}


@pytest.mark.parametrize(
    ("tool", "buggy", "normal"),
    [
        ("deepdiagnosis", (138, 203), (68, 188)),
        ("deeplocalize", (191, 203), (133, 186)),
        ("autotrainer", (203, 203), (0, 188)),
    ],
)
def test_published_verdicts_add_up_to_the_published_totals(rows, tool, buggy, normal):
    for group, (flagged, answered) in (("buggy", buggy), ("normal", normal)):
        known = [row.published(tool) for row in rows if row.group == group]
        assert (sum(one is True for one in known), sum(one is not None for one in known)) == (flagged, answered)


def test_umlaut_was_run_on_two_data_sets(rows):
    flagged = Counter((row.dataset, row.group) for row in rows if row.published("umlaut"))
    assert flagged == {("MNIST", "buggy"): 26, ("MNIST", "normal"): 68, ("CIFAR", "buggy"): 46, ("CIFAR", "normal"): 35}


def test_symptoms_of_deepdiagnosis_are_those_of_the_logs(rows):
    counts = Counter((row.deepdiagnosis, row.group) for row in rows)
    assert (counts["dead_node", "buggy"], counts["dead_node", "normal"]) == (8, 58)
    assert counts["vanishing_gradient", "buggy"] == 31


def test_every_row_has_an_architecture_and_none_is_left_over(every):
    mended = [one for one in map(fixed, every) if one is not None]
    assert {row.architecture for row in (*every, *mended)} == set(architectures())


def test_seeds_differ(every):
    assert len({row.seed for row in every}) == 444


# Identified, localised, right symptom, right place of the fix; and answered at all: Table 6 of DeepDiagnosis.
@pytest.mark.parametrize(
    ("tool", "scores", "answered"),
    [
        ("deepdiagnosis", (46, 34, 38, 28), 52),
        ("deeplocalize", (45, 26, 23, 0), 52),
        ("umlaut", (26, 3, 17, 15), 30),
        ("autotrainer", (24, 0, 19, 8), 40),
    ],
)
def test_published_scores_of_the_programs_add_up(every, tool, scores, answered):
    known = [one.published[tool] for one in programs().values() if one.published[tool] is not None]
    assert len(known) == answered
    assert tuple(sum(mark in one for one in known) for mark in ("IB", "FL", "FS", "LF")) == scores
    flagged = [row.published(tool) for row in every if row.kind == "program"]
    assert (sum(one is True for one in flagged), sum(one is not None for one in flagged)) == (scores[0], answered)


def test_programs_are_those_of_the_manifest_and_most_have_a_fixed_one(every):
    assert list(programs()) == [row.id for row in every if row.kind == "program"]
    assert sum(fixed(row) is not None for row in every) == 50
    assert sum(one.questionable for one in programs().values()) == 4
    assert all(one.fault and one.fault_types for one in programs().values())


def test_fixed_program_differs_from_the_faulty_one(every):
    for row in every:
        mended = fixed(row)
        assert mended is None or mended != row


def test_value_of_the_wrong_kind_names_row_and_column(tmp_path):
    header, first, *_ = MANIFEST.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "manifest.csv"
    path.write_text(f"{header}\n{first.replace(',256,', ',many,')}\n", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"0\.batch_size"):
        read_manifest(path)


def test_nothing_in_deepdebug_goes_by_a_model_of_the_set(every):
    """Neither an id, nor the random part of one, nor the name of an architecture stands in the program."""
    root = MANIFEST.parents[2] / "deepdebug"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.py")))
    names = {part for row in every for part in (row.id, row.id.rpartition("_")[2], row.architecture)}
    assert len(names) > 800
    assert [name for name in names if len(name) > 4 and name in text] == []
